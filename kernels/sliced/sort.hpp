// Sorting columns of a block: short float32 columns side by side in a network, others one by one by radix.
#pragma once

#include "sliced/network.hpp"
#include "sliced/radix.hpp"

namespace fastlatent::FASTLATENT_ISA {

// Where the network stops being the faster one (measured).
inline constexpr std::int64_t longest_for_network = vector_bytes == 64 ? 2048 : 512;

template <class T>
inline bool by_network(std::int64_t longest) {
  return sizeof(T) == 4 && longest <= longest_for_network;
}

inline std::int64_t network_rows(std::int64_t rows) {
  return (rows + network_block - 1) / network_block * network_block;
}

// Elements of scratch that sort_columns needs.
inline std::int64_t sort_scratch(int width, std::int64_t rows) {
  return width > 1 ? width * network_rows(rows) : 2 * rows;
}

// Columns that one network sorts at once.
template <class Item>
inline constexpr int network_width = vector_bytes / int(sizeof(Item));

// Sorts `width` columns, row i of column c at values[i·stride + c], into items[i·width + c] within scratch.
template <int width, class Item, class T>
Item* sort_columns(const T* values, std::int64_t rows, std::int64_t stride, Item* scratch) {
  for (std::int64_t i = 0; i < rows; ++i)
    for (int c = 0; c < width; ++c) scratch[i * width + c] = Item::of(values[i * stride + c], std::uint32_t(i));
  if constexpr (width == 1) {
    return radix_sort(scratch, scratch + rows, rows);
  } else {
    static_assert(sizeof(Item) == sizeof(scratch->bits()));
    using Word = decltype(scratch->bits());
    for (std::int64_t i = rows * width; i < network_rows(rows) * width; ++i) scratch[i] = Item::last();
    network_sort(reinterpret_cast<Word*>(scratch), network_rows(rows));
    return scratch;
  }
}

}  // namespace fastlatent::FASTLATENT_ISA
