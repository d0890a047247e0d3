// Stable radix sort of one column, least significant digit first.
#pragma once

#include "sliced/cpu/sort/keys.hpp"

namespace fastlatent::FASTLATENT_ISA {

inline constexpr int digit_bits = 11;
inline constexpr int digit_values = 1 << digit_bits;

template <class K>
inline constexpr int digit_count = (8 * sizeof(K) + digit_bits - 1) / digit_bits;

template <int place, class K>
inline std::uint32_t digit(K key) {
  constexpr K sign = K(std::uint64_t(1) << (8 * sizeof(K) - 1));
  if constexpr (place == digit_count<K> - 1) key ^= sign;
  return std::uint32_t(key >> (place * digit_bits)) & (digit_values - 1);
}

// For each place and digit: the number of keys with that digit, then (after `accumulate`) with a lower one.
template <class K>
class Offsets {
 public:
  template <int place = 0>
  void count(K key) {
    if constexpr (place < digit_count<K>) {
      ++below_[place][digit<place>(key)];
      count<place + 1>(key);
    }
  }

  void accumulate() {
    for (auto& place : below_) {
      std::uint32_t sum = 0;
      for (std::uint32_t& offset : place) {
        const std::uint32_t count = offset;
        offset = sum;
        sum += count;
      }
    }
  }

  template <int place>
  std::uint32_t next(K key) { return below_[place][digit<place>(key)]++; }

 private:
  std::uint32_t below_[digit_count<K>][digit_values] = {};
};

// Passes over all places except the first and the last. Returns the array that has the result.
template <int place, class Item, class K>
Item* middle_passes(Item* items, Item* spare, std::int64_t n, Offsets<K>& offsets) {
  if constexpr (place == digit_count<K> - 1) {
    return items;
  } else {
    for (std::int64_t i = 0; i < n; ++i) spare[offsets.template next<place>(items[i].key())] = items[i];
    return middle_passes<place + 1>(spare, items, n, offsets);
  }
}

// Sorts the values and calls `put(rank, item)` for each item, in no particular order of ranks: the last pass only calls
// `put`. `items` and `spare` have n places. `put` may overwrite the values.
template <class Item, class T, class Put>
void radix_sort(const T* values, std::int64_t n, Item* items, Item* spare, Put put) {
  using K = Integer<T>;
  Offsets<K> offsets;
  for (std::int64_t i = 0; i < n; ++i) offsets.count(to_key(values[i]));
  offsets.accumulate();
  for (std::int64_t i = 0; i < n; ++i) {
    const Item item = Item::of(values[i], std::uint32_t(i));
    items[offsets.template next<0>(item.key())] = item;
  }
  const Item* last_pass = middle_passes<1>(items, spare, n, offsets);
  for (std::int64_t i = 0; i < n; ++i) put(offsets.template next<digit_count<K> - 1>(last_pass[i].key()), last_pass[i]);
}

}  // namespace fastlatent::FASTLATENT_ISA
