// The points of both samples, packed for the tiles: centered, in blocks, row by row and column by column.
#pragma once

#include "native/dtype_dispatch.hpp"
#include "native/matmul.hpp"
#include "native/workspace.hpp"

namespace fastlatent::FASTLATENT_ISA {

template <class T>
struct PackedPoints {
  // Points of a block; a tile is block × block pairs: 36 KB in float32, 18 KB in float64, which stay in the caches of
  // a core.
  static constexpr int block = 384 / sizeof(T);
  static_assert(block % TileShape<T>::rows == 0 && block % TileShape<T>::columns == 0);

  const std::int64_t n, m, d;
  const std::int64_t width;             // of a row: d, rounded up to whole registers
  const std::int64_t x_blocks, blocks;  // the blocks of x, followed by those of y
  Workspace<T> rows;                    // (blocks·block, width)
  Workspace<T> columns;                 // for each group of TileShape::columns points: (d, TileShape::columns)
  Workspace<T> norms;                   // ‖z‖² of each row
  Workspace<T> max_norms;               // of each block

  PackedPoints(std::int64_t n_, std::int64_t m_, std::int64_t d_)
      : n(n_), m(m_), d(d_), width(round_up(d_, lanes<T>)),
        x_blocks(ceil_div(n_, block)), blocks(x_blocks + ceil_div(m_, block)),
        rows(blocks * block * width), columns(blocks * block * d_), norms(blocks * block), max_norms(blocks) {}

  bool in_x(std::int64_t b) const { return b < x_blocks; }
  // Number of points in block b.
  int count(std::int64_t b) const { return int(min(block, in_x(b) ? n - b * block : m - (b - x_blocks) * block)); }

  template <class In>
  void pack(const In* x, const In* y, bool centered) {
    Workspace<double> origin(d);
    for (std::int64_t k = 0; k < d; ++k) origin[k] = 0;
    if (centered) mean(x, y, origin.data());
    for (std::int64_t b = 0; b < blocks; ++b) {
      const In* points = in_x(b) ? x + b * block * d : y + (b - x_blocks) * block * d;
      pack_rows(b, points, origin.data());
      pack_columns(b);
    }
  }

 private:
  template <class In>
  void mean(const In* x, const In* y, double* origin) const {
    for (std::int64_t i = 0; i < n * d; i += d)
      for (std::int64_t k = 0; k < d; ++k) origin[k] += widen(x[i + k]);
    for (std::int64_t i = 0; i < m * d; i += d)
      for (std::int64_t k = 0; k < d; ++k) origin[k] += widen(y[i + k]);
    // a NaN or an infinity in one point must not reach the others
    for (std::int64_t k = 0; k < d; ++k)
      origin[k] = __builtin_isfinite(origin[k]) ? origin[k] / double(n + m) : 0;
  }

  template <class In>
  void pack_rows(std::int64_t b, const In* points, const double* origin) {
    const int valid = count(b);
    T max_norm = 0;
    for (int i = 0; i < block; ++i) {
      T* row = rows.data() + (b * block + i) * width;
      double norm = 0;
      for (std::int64_t k = 0; k < width; ++k) row[k] = 0;
      if (i < valid)
        for (std::int64_t k = 0; k < d; ++k) {
          row[k] = T(widen(points[i * d + k]) - origin[k]);
          norm += double(row[k]) * double(row[k]);
        }
      norms[b * block + i] = T(norm);
      max_norm = T(norm) > max_norm ? T(norm) : max_norm;
    }
    max_norms[b] = max_norm;
  }

  void pack_columns(std::int64_t b) {
    constexpr int group = TileShape<T>::columns;
    for (int first = 0; first < block; first += group) {
      T* packed = columns.data() + (b * block + first) * d;
      const T* group_rows = rows.data() + (b * block + first) * width;
      for (std::int64_t k = 0; k < d; ++k)
        for (int j = 0; j < group; ++j) packed[k * group + j] = group_rows[j * width + k];
    }
  }
};

}  // namespace fastlatent::FASTLATENT_ISA
