// Sorting network over rows. A row is a register with one element of each of several columns, so that all columns are
// sorted at once, without branches or shuffles.
#pragma once

#include "native/vector.hpp"

namespace fastlatent::FASTLATENT_ISA {

template <class Register>
inline void compare_exchange(Register& low, Register& high) {
  const Register a = low, b = high;
  low = a < b ? a : b;
  high = a < b ? b : a;
}

template <class W>
inline Vector<W> max_key() {
  return splat(W(~(W(1) << (8 * sizeof(W) - 1))));
}

inline constexpr int network_block = 16;  // rows sorted in registers
inline constexpr int group_levels = 3;    // levels of comparisons of distant rows per load and store

// Half-cleaners at distances `from`, from/2, ..., 1 among `count` registers.
template <int count, int from, class Register>
inline __attribute__((always_inline)) void half_clean(Register* v) {
  if constexpr (from > 0) {
#pragma GCC unroll 16
    for (int i = 0; i < count; ++i)
      if (!(i & from)) compare_exchange(v[i], v[i + from]);
    half_clean<count, from / 2>(v);
  }
}

// Merges sorted runs of `length` rows into runs of twice that, within the block.
template <class W, int length>
inline __attribute__((always_inline)) void merge_in_block(Vector<W>* v) {
  if constexpr (length < network_block) {
#pragma GCC unroll 16
    for (int i = 0; i < network_block; ++i)
      if (!(i & length)) compare_exchange(v[i], v[i ^ (2 * length - 1)]);
    half_clean<network_block, length / 2>(v);
    merge_in_block<W, 2 * length>(v);
  }
}

// Rows of a group of columns: row i is at data + i·lanes. `count` is a multiple of the block. Rows beyond it count as
// maximal and are never stored: every comparison moves the smaller element up.
template <class W>
struct Rows {
  W* data;
  std::int64_t count;
  Vector<W> get(std::int64_t i) const { return load(data + i * lanes<W>); }
  void put(std::int64_t i, Vector<W> v) const { store(data + i * lanes<W>, v); }
};

template <class W, class Body>
inline __attribute__((always_inline)) void apply_to_block(const Rows<W>& r, std::int64_t first, Body body) {
  Vector<W> v[network_block];
#pragma GCC unroll 16
  for (int k = 0; k < network_block; ++k) v[k] = r.get(first + k);
  body(v);
#pragma GCC unroll 16
  for (int k = 0; k < network_block; ++k) r.put(first + k, v[k]);
}

// Compares rows of [first, first + group·step) that are group/2, ..., 1 steps apart. With `flip` the first of these
// levels pairs the first half with the reverse of the second, which merges two sorted runs.
template <int group, bool flip, class W>
void compare_distant(const Rows<W>& r, std::int64_t first, std::int64_t step) {
  const bool whole = first + group * step <= r.count;
  for (std::int64_t i = 0; i < step; ++i) {
    Vector<W> v[group];
    std::int64_t at[group];
#pragma GCC unroll 16
    for (int k = 0; k < group; ++k) {
      at[k] = first + k * step + (flip && k >= group / 2 ? step - 1 - i : i);
      v[k] = whole || at[k] < r.count ? r.get(at[k]) : max_key<W>();
    }
    if constexpr (flip) {
#pragma GCC unroll 16
      for (int k = 0; k < group / 2; ++k) compare_exchange(v[k], v[group - 1 - k]);
      half_clean<group, group / 4>(v);
    } else {
      half_clean<group, group / 2>(v);
    }
#pragma GCC unroll 16
    for (int k = 0; k < group; ++k)
      if (whole || at[k] < r.count) r.put(at[k], v[k]);
  }
}

// Remaining levels of a merge in [first, first + length), part by part, so that each part stays in the L1 cache.
template <class W>
void finish_merge(const Rows<W>& r, std::int64_t first, std::int64_t length) {
  constexpr int group = 1 << group_levels;
  if (first >= r.count) return;
  if (length == network_block)
    return apply_to_block(r, first, [](Vector<W>* v) { half_clean<network_block, network_block / 2>(v); });
  const std::int64_t step = length / group;
  compare_distant<group, false>(r, first, step);
  for (int k = 0; k < group; ++k) finish_merge(r, first + k * step, step);
}

// Merges the sorted halves of [first, first + length), which is 2^levels blocks long.
template <int group = 1 << group_levels, class W>
void merge(const Rows<W>& r, std::int64_t first, std::int64_t length, int levels) {
  if constexpr (group > 1) {
    if (levels % group_levels != __builtin_ctz(group) % group_levels) return merge<group / 2>(r, first, length, levels);
    const std::int64_t step = length / group;
    compare_distant<group, true>(r, first, step);
    for (int k = 0; k < group; ++k) finish_merge(r, first + k * step, step);
  }
}

template <class W>
void sort_rows(const Rows<W>& r, std::int64_t first, std::int64_t length, int levels) {
  if (first >= r.count) return;
  if (!levels) return apply_to_block(r, first, [](Vector<W>* v) { merge_in_block<W, 1>(v); });
  sort_rows(r, first, length / 2, levels - 1);
  sort_rows(r, first + length / 2, length / 2, levels - 1);
  if (first + length / 2 < r.count) merge(r, first, length, levels);
}

template <class W>
void network_sort(W* data, std::int64_t rows) {
  int levels = 0;
  while (std::int64_t(network_block) << levels < rows) ++levels;
  sort_rows(Rows<W>{data, rows}, 0, std::int64_t(network_block) << levels, levels);
}

}  // namespace fastlatent::FASTLATENT_ISA
