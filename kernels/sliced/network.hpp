// Sorting network over rows: each row is a register that holds one element of each of several columns, so that all
// columns are sorted at once, without branches or shuffles.
#pragma once

#include "native/vector.hpp"

namespace fastlatent::FASTLATENT_ISA {

template <class Register>
inline void order(Register& low, Register& high) {
  const Register a = low, b = high;
  low = a < b ? a : b;
  high = a < b ? b : a;
}

template <class W>
inline Vector<W> largest() {
  return splat(W(~(W(1) << (8 * sizeof(W) - 1))));
}

inline constexpr int network_block = 16;  // rows that are sorted in registers
inline constexpr int group_levels = 3;  // levels of comparisons among distant rows that are done in registers

// Half-cleaners at distances `from`, from/2, ..., 1 among `count` registers.
template <int count, int from, class Register>
inline __attribute__((always_inline)) void clean(Register* v) {
  if constexpr (from > 0) {
#pragma GCC unroll 16
    for (int i = 0; i < count; ++i)
      if (!(i & from)) order(v[i], v[i + from]);
    clean<count, from / 2>(v);
  }
}

// Merges sorted runs of `length` rows into runs of twice that, within the block.
template <class W, int length>
inline __attribute__((always_inline)) void merge_in_block(Vector<W>* v) {
  if constexpr (length < network_block) {
#pragma GCC unroll 16
    for (int i = 0; i < network_block; ++i)
      if (!(i & length)) order(v[i], v[i ^ (2 * length - 1)]);
    clean<network_block, length / 2>(v);
    merge_in_block<W, 2 * length>(v);
  }
}

// Rows of a column group: row i is at data + i·lanes. `count` is a multiple of the block; rows beyond are absent, which
// is right because every comparison puts the smaller element first.
template <class W>
struct Rows {
  W* data;
  std::int64_t count;
  Vector<W> get(std::int64_t i) const { return load(data + i * lanes<W>); }
  void put(std::int64_t i, Vector<W> v) const { store(data + i * lanes<W>, v); }
};

template <class W, class Body>
inline __attribute__((always_inline)) void in_block(const Rows<W>& r, std::int64_t first, Body body) {
  Vector<W> v[network_block];
#pragma GCC unroll 16
  for (int k = 0; k < network_block; ++k) v[k] = r.get(first + k);
  body(v);
#pragma GCC unroll 16
  for (int k = 0; k < network_block; ++k) r.put(first + k, v[k]);
}

// Compares rows of [first, first + group·step) that are group/2, ..., 1 steps apart; flip: in the first of these levels
// the second half is met from its end, which makes one sorted run of two.
template <int group, bool flip, class W>
void compare_distant(const Rows<W>& r, std::int64_t first, std::int64_t step) {
  const bool whole = first + group * step <= r.count;
  for (std::int64_t i = 0; i < step; ++i) {
    Vector<W> v[group];
    std::int64_t at[group];
#pragma GCC unroll 16
    for (int k = 0; k < group; ++k) {
      at[k] = first + k * step + (flip && k >= group / 2 ? step - 1 - i : i);
      v[k] = whole || at[k] < r.count ? r.get(at[k]) : largest<W>();
    }
    if constexpr (flip) {
#pragma GCC unroll 16
      for (int k = 0; k < group / 2; ++k) order(v[k], v[group - 1 - k]);
      clean<group, group / 4>(v);
    } else {
      clean<group, group / 2>(v);
    }
#pragma GCC unroll 16
    for (int k = 0; k < group; ++k)
      if (whole || at[k] < r.count) r.put(at[k], v[k]);
  }
}

// The rest of a merge, in [first, first + length): part by part, so that each stays in the nearest cache.
template <class W>
void finish_merge(const Rows<W>& r, std::int64_t first, std::int64_t length) {
  constexpr int group = 1 << group_levels;
  if (first >= r.count) return;
  if (length == network_block)
    return in_block(r, first, [](Vector<W>* v) { clean<network_block, network_block / 2>(v); });
  const std::int64_t step = length / group;
  compare_distant<group, false>(r, first, step);
  for (int k = 0; k < group; ++k) finish_merge(r, first + k * step, step);
}

// Makes one sorted run of the two halves of [first, first + length), `levels` of comparisons above a block.
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
  if (!levels) return in_block(r, first, [](Vector<W>* v) { merge_in_block<W, 1>(v); });
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
