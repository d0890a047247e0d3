// Product of a tall matrix with a narrow one, for projections and for gradients back to the points.
#pragma once

#include "native/vector.hpp"

namespace fastlatent::FASTLATENT_ISA {

inline constexpr int tile_rows = vector_bytes == 64 ? 8 : 4;
inline constexpr int tile_vectors = 2;

template <class T>
inline constexpr int tile_columns = tile_vectors * lanes<T>;

// Columns of a matrix, padded with zeros to whole tiles.
template <class T>
inline std::int64_t padded(std::int64_t columns) {
  return (columns + tile_columns<T> - 1) / tile_columns<T> * tile_columns<T>;
}

// C (rows × columns) = A (rows × depth) · B (depth × columns), added to C where `add`, for columns that fill `vectors`
// registers: one addition for each k in turn, so that splitting the depth over calls changes no bit.
template <class T, int rows, int vectors, bool add>
inline void multiply_tile(const T* a, std::int64_t lda, std::int64_t depth, const T* b, std::int64_t ldb, T* c,
                          std::int64_t ldc) {
  Vector<T> sum[rows][vectors];
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j) sum[i][j] = add ? load(c + i * ldc + j * lanes<T>) : Vector<T>{};
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector<T> row[vectors];
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j) row[j] = load(b + k * ldb + j * lanes<T>);
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i)
#pragma GCC unroll 2
      for (int j = 0; j < vectors; ++j) sum[i][j] += a[i * lda + k] * row[j];
  }
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j) store(c + i * ldc + j * lanes<T>, sum[i][j]);
}

// The same for any number of rows, and for `width` columns of C, at most those of the registers.
template <class T, int vectors, bool add>
void multiply_columns(const T* a, std::int64_t lda, std::int64_t rows, std::int64_t depth, const T* b, std::int64_t ldb,
                      T* c, std::int64_t ldc, std::int64_t width) {
  constexpr int columns = vectors * lanes<T>;
  const bool whole = width == columns;
  for (std::int64_t i = 0; i < rows;) {
    const int height = rows - i >= tile_rows ? tile_rows : 1;
    T edge[tile_rows * columns];
    T* to = c + i * ldc;
    if (!whole && add)
      for (int r = 0; r < height; ++r) __builtin_memcpy(edge + r * columns, to + r * ldc, width * sizeof(T));
    T* target = whole ? to : edge;
    const std::int64_t stride = whole ? ldc : columns;
    if (height == tile_rows)
      multiply_tile<T, tile_rows, vectors, add>(a + i * lda, lda, depth, b, ldb, target, stride);
    else
      multiply_tile<T, 1, vectors, add>(a + i * lda, lda, depth, b, ldb, target, stride);
    if (!whole)
      for (int r = 0; r < height; ++r) __builtin_memcpy(to + r * ldc, edge + r * columns, width * sizeof(T));
    i += height;
  }
}

// The same for any number of columns; B is padded to whole tiles, C is not.
template <class T, bool add>
void multiply(const T* a, std::int64_t lda, std::int64_t rows, std::int64_t depth, const T* b, std::int64_t ldb, T* c,
              std::int64_t ldc, std::int64_t columns) {
  for (std::int64_t j = 0; j < columns; j += tile_columns<T>) {
    const std::int64_t width = columns - j < tile_columns<T> ? columns - j : tile_columns<T>;
    if (width <= lanes<T>)
      multiply_columns<T, 1, add>(a, lda, rows, depth, b + j, ldb, c + j, ldc, width);
    else
      multiply_columns<T, tile_vectors, add>(a, lda, rows, depth, b + j, ldb, c + j, ldc, width);
  }
}

}  // namespace fastlatent::FASTLATENT_ISA
