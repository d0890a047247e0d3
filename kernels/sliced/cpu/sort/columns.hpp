// Sorts of the columns of a block: short float32 columns together in a network, other columns one by one by radix.
#pragma once

#include "native/indexing.hpp"
#include "native/transpose.hpp"
#include "sliced/cpu/sort/network.hpp"
#include "sliced/cpu/sort/radix.hpp"

namespace fastlatent::FASTLATENT_ISA {

// Rows of a column up to which the network is faster than radix; 0 for float64, which has no network. Measured on one
// core of an AMD Zen 4: time per element of both sorts on random columns of 64, 128, ..., 131072 rows, for each
// instruction set.
template <class Item>
inline constexpr std::int64_t max_network_rows = 0;
template <>
inline constexpr std::int64_t max_network_rows<IndexedKey<float>> =
    vector_bytes == 64 ? 8192 : vector_bytes == 32 ? 4096 : 256;
template <>
inline constexpr std::int64_t max_network_rows<PlainKey<float>> = vector_bytes >= 32 ? 65536 : 1024;

inline std::int64_t network_rows(std::int64_t rows) { return round_up(rows, network_block); }

// Number of columns that one network sorts at once.
template <class Item>
inline constexpr int network_width = vector_bytes / int(sizeof(Item));

// Bytes of scratch memory for sorting columns of type T.
template <class T>
inline std::int64_t sort_scratch(std::int64_t rows) {
  return max(vector_bytes * network_rows(rows), 2 * std::int64_t(sizeof(IndexedKey<T>)) * rows);
}

// Sorts `width` columns, row i of column c at values[i·stride + c], into items[i·width + c] within scratch.
template <int width, class Item, class T>
Item* sort_columns(const T* values, std::int64_t rows, std::int64_t stride, Item* scratch) {
  if constexpr (width == 1) {
    Item* sorted = digit_count<Integer<T>> % 2 ? scratch : scratch + rows;  // the half that the last pass does not read
    radix_sort(values, rows, scratch, scratch + rows,
               [sorted](std::int64_t rank, const Item& item) { sorted[rank] = item; });
    return sorted;
  } else {
    static_assert(sizeof(Item) == sizeof(scratch->bits()));
    using Word = decltype(scratch->bits());
    for (std::int64_t i = 0; i < rows; ++i)
      for (int c = 0; c < width; ++c) scratch[i * width + c] = Item::of(values[i * stride + c], std::uint32_t(i));
    for (std::int64_t i = rows * width; i < network_rows(rows) * width; ++i) scratch[i] = Item::last();
    network_sort(reinterpret_cast<Word*>(scratch), network_rows(rows));
    return scratch;
  }
}

// Sorts `lanes` columns in place. Each column is contiguous and padded to whole registers.
inline void sort_contiguous_columns(float* columns, std::int64_t stride, std::int64_t rows, void* scratch) {
  float* values = static_cast<float*>(scratch);
  std::int32_t* keys = static_cast<std::int32_t*>(scratch);
  transpose(columns, stride, values, lanes<float>, lanes<float>, rows);
  for (std::int64_t i = 0; i < rows * lanes<float>; ++i) keys[i] = to_key(values[i]);
  for (std::int64_t i = rows * lanes<float>; i < network_rows(rows) * lanes<float>; ++i) keys[i] = last_key<float>;
  network_sort(keys, network_rows(rows));
  for (std::int64_t i = 0; i < rows * lanes<float>; ++i) values[i] = from_key<float>(keys[i]);
  transpose(values, lanes<float>, columns, stride, rows, lanes<float>);
}

}  // namespace fastlatent::FASTLATENT_ISA
