// C = A·B and C += A·B for a tall A and any number of columns, by register-blocked tiles.
#pragma once

#include "native/matmul.hpp"

namespace fastlatent::FASTLATENT_ISA {

inline constexpr int panel_rows = vector_bytes == 64 ? 8 : 4;  // divides chunk_rows; larger tiles do not

// Number of columns in whole tiles.
template <class T>
inline std::int64_t padded_columns(std::int64_t columns) {
  return round_up(columns, TileShape<T>::columns);
}

// `width` columns of C, at most those of `vectors` registers.
template <class T, int vectors, bool accumulate>
void matmul_column_panel(const T* a, std::int64_t a_stride, std::int64_t rows, std::int64_t depth, const T* b,
                         std::int64_t b_stride, T* c, std::int64_t c_stride, std::int64_t width) {
  constexpr int columns = vectors * lanes<T>;
  const bool full_width = width == columns;
  for (std::int64_t i = 0; i < rows;) {
    const int height = rows - i >= panel_rows ? panel_rows : 1;
    T buffer[panel_rows * columns];  // a tile of which only `width` columns are in C
    T* c_rows = c + i * c_stride;
    if (!full_width && accumulate)
      for (int r = 0; r < height; ++r) __builtin_memcpy(buffer + r * columns, c_rows + r * c_stride, width * sizeof(T));
    T* target = full_width ? c_rows : buffer;
    const std::int64_t target_stride = full_width ? c_stride : columns;
    if (height == panel_rows)
      matmul_tile<panel_rows, vectors, accumulate>(depth, a + i * a_stride, a_stride, 1, b, b_stride, target,
                                                   target_stride);
    else
      matmul_tile<1, vectors, accumulate>(depth, a + i * a_stride, a_stride, 1, b, b_stride, target, target_stride);
    if (!full_width)
      for (int r = 0; r < height; ++r) __builtin_memcpy(c_rows + r * c_stride, buffer + r * columns, width * sizeof(T));
    i += height;
  }
}

// B is padded to whole tiles, C is not.
template <bool accumulate, class T>
void matmul_panels(const T* a, std::int64_t a_stride, std::int64_t rows, std::int64_t depth, const T* b,
                   std::int64_t b_stride, T* c, std::int64_t c_stride, std::int64_t columns) {
  using S = TileShape<T>;
  for (std::int64_t j = 0; j < columns; j += S::columns) {
    const std::int64_t width = min(columns - j, S::columns);
    if (width <= lanes<T>)
      matmul_column_panel<T, 1, accumulate>(a, a_stride, rows, depth, b + j, b_stride, c + j, c_stride, width);
    else
      matmul_column_panel<T, S::vectors, accumulate>(a, a_stride, rows, depth, b + j, b_stride, c + j, c_stride, width);
  }
}

}  // namespace fastlatent::FASTLATENT_ISA
