// Radix sort of one long column, least significant digit first; equal keys keep their order.
#pragma once

#include "sliced/keys.hpp"

namespace fastlatent::FASTLATENT_ISA {

inline constexpr int digit_bits = 11;
inline constexpr int digit_values = 1 << digit_bits;

template <class K>
inline constexpr int digit_count = (8 * sizeof(K) + digit_bits - 1) / digit_bits;

template <class K>
inline std::uint64_t as_unsigned(K key) {
  constexpr std::uint64_t sign = std::uint64_t(1) << (8 * sizeof(K) - 1);
  return (sizeof(K) == 4 ? std::uint64_t(std::uint32_t(key)) : std::uint64_t(key)) ^ sign;
}

template <class K>
inline int digit(K key, int place) {
  return int(as_unsigned(key) >> (place * digit_bits)) & (digit_values - 1);
}

// Sorts `items`, using `spare` of the same size; returns the one of the two that holds the result.
template <class Item>
Item* radix_sort(Item* items, Item* spare, std::int64_t n) {
  using K = decltype(items->key());
  static thread_local std::uint32_t counts[digit_count<std::int64_t>][digit_values];
  __builtin_memset(counts, 0, sizeof counts[0] * digit_count<K>);
  for (std::int64_t i = 0; i < n; ++i) {
    const K key = items[i].key();
    for (int place = 0; place < digit_count<K>; ++place) ++counts[place][digit(key, place)];
  }
  for (int place = 0; place < digit_count<K>; ++place) {
    std::uint32_t* offsets = counts[place];
    if (n && offsets[digit(items[0].key(), place)] == n) continue;  // all have the same digit
    std::uint32_t sum = 0;
    for (int value = 0; value < digit_values; ++value) {
      const std::uint32_t count = offsets[value];
      offsets[value] = sum;
      sum += count;
    }
    for (std::int64_t i = 0; i < n; ++i) spare[offsets[digit(items[i].key(), place)]++] = items[i];
    Item* sorted = spare;
    spare = items;
    items = sorted;
  }
  return items;
}

}  // namespace fastlatent::FASTLATENT_ISA
