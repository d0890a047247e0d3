// The register block that all products of a tile are made of.
#pragma once

#include "native/vector.hpp"

namespace fastlatent::FASTLATENT_ISA {

// c (R rows of V registers) = or += Σ_k a(r, k)·b(k, ·), k < depth.
template <class T, int R, int V, bool Add>
inline void multiply(std::int64_t depth, const T* a, std::int64_t a_row, std::int64_t a_depth, const T* b,
                     std::int64_t b_depth, T* c, std::int64_t c_row) {
  Vector<T> sum[R][V];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) sum[r][v] = Add ? load(c + r * c_row + v * lanes<T>) : Vector<T>{};
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector<T> right[V];
    for (int v = 0; v < V; ++v) right[v] = load(b + k * b_depth + v * lanes<T>);
    for (int r = 0; r < R; ++r) {
      const Vector<T> left = splat(a[r * a_row + k * a_depth]);
      for (int v = 0; v < V; ++v) sum[r][v] += left * right[v];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) store(c + r * c_row + v * lanes<T>, sum[r][v]);
}

}  // namespace fastlatent::FASTLATENT_ISA
