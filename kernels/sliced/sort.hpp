// Sorting columns of a block: short float32 columns side by side in a network, others one by one by radix.
#pragma once

#include "sliced/network.hpp"
#include "sliced/radix.hpp"
#include "sliced/transpose.hpp"

namespace fastlatent::FASTLATENT_ISA {

// Longest columns for which the network is the faster one; float64 has none. Measured on one core of an AMD Zen 4: time
// an element of either sort on random columns of 64, 128, ..., 131072 rows, for each instruction set.
template <class Item>
inline constexpr std::int64_t longest_for_network = 0;
template <>
inline constexpr std::int64_t longest_for_network<Indexed<float>> =
    vector_bytes == 64 ? 8192 : vector_bytes == 32 ? 4096 : 256;
template <>
inline constexpr std::int64_t longest_for_network<Plain<float>> = vector_bytes >= 32 ? 65536 : 1024;

inline std::int64_t network_rows(std::int64_t rows) {
  return (rows + network_block - 1) / network_block * network_block;
}

// Columns that one network sorts at once.
template <class Item>
inline constexpr int network_width = vector_bytes / int(sizeof(Item));

// Bytes of scratch that sorting columns of floating type T needs.
template <class T>
inline std::int64_t sort_scratch(std::int64_t rows) {
  const std::int64_t network = vector_bytes * network_rows(rows), radix = 2 * sizeof(Indexed<T>) * rows;
  return network > radix ? network : radix;
}

// Sorts `width` columns, row i of column c at values[i·stride + c], into items[i·width + c] within scratch.
template <int width, class Item, class T>
Item* sort_columns(const T* values, std::int64_t rows, std::int64_t stride, Item* scratch) {
  if constexpr (width == 1) {
    Item* sorted = digit_count<Key<T>> % 2 ? scratch : scratch + rows;  // which of the two the last pass only writes
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

// Sorts as many columns as a register has lanes, in place; each lies in one piece, with room for whole registers.
inline void sort_long_columns(float* columns, std::int64_t pitch, std::int64_t rows, void* scratch) {
  float* values = static_cast<float*>(scratch);
  std::int32_t* keys = static_cast<std::int32_t*>(scratch);
  transpose(columns, pitch, values, lanes<float>, lanes<float>, rows);
  for (std::int64_t i = 0; i < rows * lanes<float>; ++i) keys[i] = to_key(values[i]);
  for (std::int64_t i = rows * lanes<float>; i < network_rows(rows) * lanes<float>; ++i) keys[i] = INT32_MAX;
  network_sort(keys, network_rows(rows));
  for (std::int64_t i = 0; i < rows * lanes<float>; ++i) values[i] = from_key<float>(keys[i]);
  transpose(values, lanes<float>, columns, pitch, rows, lanes<float>);
}

}  // namespace fastlatent::FASTLATENT_ISA
