// Sorting network over rows: each row is a register that holds one element of each of several columns, so that all
// columns are sorted at once, without branches or shuffles.
#pragma once

#include "native/vector.hpp"

namespace fastlatent::FASTLATENT_ISA {

template <class W>
inline void order(Vector<W>& low, Vector<W>& high) {
  const Vector<W> a = low, b = high;
  low = a < b ? a : b;
  high = a < b ? b : a;
}

inline constexpr int network_block = 16;  // rows that are held in registers at once

// Rows of a column group: row i is at data + i·stride. `rows` is a multiple of the block; merges treat rows beyond as
// absent, which is right because every comparison puts the smaller element first.
template <class W>
struct Rows {
  W* data;
  std::int64_t rows, stride;
  Vector<W> get(std::int64_t i) const { return load(data + i * stride); }
  void put(std::int64_t i, Vector<W> v) const { store(data + i * stride, v); }
  void order_rows(std::int64_t i, std::int64_t j) const {
    if (j >= rows) return;
    Vector<W> a = get(i), b = get(j);
    order<W>(a, b);
    put(i, a);
    put(j, b);
  }
};

// Half-cleaners at distances `from`, from/2, ..., 1 within the block.
template <class W, int from>
inline __attribute__((always_inline)) void clean(Vector<W>* v) {
  if constexpr (from > 0) {
#pragma GCC unroll 16
    for (int i = 0; i < network_block; ++i)
      if (!(i & from)) order<W>(v[i], v[i + from]);
    clean<W, from / 2>(v);
  }
}

// Merges sorted runs of `length` rows into runs of twice that, within the block.
template <class W, int length>
inline __attribute__((always_inline)) void merge_in_block(Vector<W>* v) {
  if constexpr (length < network_block) {
#pragma GCC unroll 16
    for (int i = 0; i < network_block; ++i)
      if (!(i & length)) order<W>(v[i], v[i ^ (2 * length - 1)]);
    clean<W, length / 2>(v);
    merge_in_block<W, 2 * length>(v);
  }
}

template <class W, class Body>
inline __attribute__((always_inline)) void in_blocks(const Rows<W>& r, Body body) {
  for (std::int64_t first = 0; first < r.rows; first += network_block) {
    Vector<W> v[network_block];
#pragma GCC unroll 16
    for (int i = 0; i < network_block; ++i) v[i] = r.get(first + i);
    body(v);
#pragma GCC unroll 16
    for (int i = 0; i < network_block; ++i) r.put(first + i, v[i]);
  }
}

// Two levels of comparisons among the rows a < b < c < d: first a with d and b with c (flip: the second run is met from
// its end) or a with c and b with d, then a with b and c with d.
template <bool flip, class W>
inline void order_four(const Rows<W>& r, std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
  if (d < r.rows) {
    Vector<W> va = r.get(a), vb = r.get(b), vc = r.get(c), vd = r.get(d);
    order<W>(va, flip ? vd : vc);
    order<W>(vb, flip ? vc : vd);
    order<W>(va, vb);
    order<W>(vc, vd);
    r.put(a, va);
    r.put(b, vb);
    r.put(c, vc);
    r.put(d, vd);
  } else {
    r.order_rows(a, flip ? d : c);
    r.order_rows(b, flip ? c : d);
    r.order_rows(a, b);
    r.order_rows(c, d);
  }
}

// Merges sorted runs of `length` rows, at least a block, into runs of twice that: a bitonic merge, two levels a pass.
template <class W>
void merge_runs(const Rows<W>& r, std::int64_t length) {
  const std::int64_t half = length / 2;
  for (std::int64_t first = 0; first + length < r.rows; first += 2 * length)
    for (std::int64_t i = 0; i < half; ++i)
      order_four<true>(r, first + i, first + half + i, first + length + half - 1 - i, first + 2 * length - 1 - i);
  std::int64_t distance = half / 2;
  for (; distance >= 2 * network_block; distance /= 4)
    for (std::int64_t first = 0; first < r.rows; first += 2 * distance)
      for (std::int64_t i = first; i < first + distance / 2; ++i)
        order_four<false>(r, i, i + distance / 2, i + distance, i + distance + distance / 2);
  if (distance == network_block)
    for (std::int64_t first = 0; first < r.rows; first += 2 * distance)
      for (std::int64_t i = first; i < first + distance; ++i) r.order_rows(i, i + distance);
  if (length == network_block)
    in_blocks(r, [](Vector<W>* v) { clean<W, network_block / 4>(v); });
  else
    in_blocks(r, [](Vector<W>* v) { clean<W, network_block / 2>(v); });
}

template <class W>
void network_sort(W* data, std::int64_t rows) {
  const Rows<W> r{data, rows, lanes<W>};
  in_blocks(r, [](Vector<W>* v) { merge_in_block<W, 1>(v); });
  for (std::int64_t length = network_block; length < rows; length *= 2) merge_runs(r, length);
}

}  // namespace fastlatent::FASTLATENT_ISA
