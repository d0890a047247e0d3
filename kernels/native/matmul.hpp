// Register-blocked matrix multiplication, C = A·B or C += A·B.
//
// A has strides along its rows and along the depth, so that Aᵀ needs no copy. B and C are row-major. Each entry of C
// adds its terms in the order of the depth: splitting the depth over several calls changes no bit.
#pragma once

#include "native/indexing.hpp"
#include "native/vector.hpp"

namespace fastlatent::FASTLATENT_ISA {

// The accumulators fill the 32 registers of AVX-512, or the 16 of the other instruction sets, except for those that
// hold the operands.
template <class T>
struct TileShape {
  static constexpr int rows = vector_bytes == 64 ? 12 : 6;
  static constexpr int vectors = 2;
  static constexpr int columns = vectors * lanes<T>;
};

// One tile of C in registers: `rows` rows of `vectors` registers.
template <int rows, int vectors, bool accumulate, class T>
inline void matmul_tile(std::int64_t depth, const T* a, std::int64_t a_row_stride, std::int64_t a_depth_stride,
                        const T* b, std::int64_t b_stride, T* c, std::int64_t c_stride) {
  Vector<T> sum[rows][vectors];
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) sum[r][v] = accumulate ? load(c + r * c_stride + v * lanes<T>) : Vector<T>{};
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector<T> right[vectors];
    for (int v = 0; v < vectors; ++v) right[v] = load(b + k * b_stride + v * lanes<T>);
    for (int r = 0; r < rows; ++r) {
      const Vector<T> left = splat(a[r * a_row_stride + k * a_depth_stride]);
      for (int v = 0; v < vectors; ++v) sum[r][v] += left * right[v];
    }
  }
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) store(c + r * c_stride + v * lanes<T>, sum[r][v]);
}

// One row of tiles: `TileShape::rows` rows of C, and as many whole registers as `columns` columns take.
template <bool accumulate, class T>
inline void matmul_row_panel(std::int64_t depth, const T* a, std::int64_t a_row_stride, std::int64_t a_depth_stride,
                             const T* b, std::int64_t b_stride, T* c, std::int64_t c_stride, std::int64_t columns) {
  using S = TileShape<T>;
  std::int64_t j = 0;
  for (; j + lanes<T> < columns; j += S::columns)
    matmul_tile<S::rows, S::vectors, accumulate>(depth, a, a_row_stride, a_depth_stride, b + j, b_stride, c + j,
                                                 c_stride);
  if (j < columns)
    matmul_tile<S::rows, 1, accumulate>(depth, a, a_row_stride, a_depth_stride, b + j, b_stride, c + j, c_stride);
}

}  // namespace fastlatent::FASTLATENT_ISA
