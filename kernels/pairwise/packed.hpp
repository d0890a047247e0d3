// The points of both clouds as the tiles read them: centred, in blocks, row by row and column by column.
#pragma once

#include "native/half.hpp"
#include "native/workspace.hpp"

namespace fastlatent::FASTLATENT_ISA {

// A tile is block × block pairs; its products are made of register blocks of `rows` × `vectors` registers, which fill
// the 32 registers of AVX-512 or the 16 of the others but for what holds the operands. `rows` and the columns of a
// register block divide `block`, and a tile of float32 (36 KB) or float64 (18 KB) stays in the nearest caches.
template <class T>
struct Shape {
  static constexpr int rows = vector_bytes == 64 ? 12 : 6;
  static constexpr int vectors = 2;
  static constexpr int columns = vectors * lanes<T>;
  static constexpr int block = 384 / sizeof(T);
  static_assert(block % rows == 0 && block % columns == 0);
};

inline std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

template <class T>
struct Packed {
  static constexpr int block = Shape<T>::block;

  const std::int64_t n, m, d;
  const std::int64_t width;              // of a row: d, rounded up to whole registers
  const std::int64_t x_blocks, blocks;   // blocks of x come first, then those of y
  Workspace<T> rows;                     // (blocks·block, width)
  Workspace<T> columns;                  // for each group of Shape::columns points: (d, Shape::columns)
  Workspace<T> norms;                    // ‖z‖² of each row
  Workspace<T> greatest;                 // of the norms of each block

  Packed(std::int64_t n_, std::int64_t m_, std::int64_t d_)
      : n(n_), m(m_), d(d_), width(round_up(d_, lanes<T>)),
        x_blocks((n_ + block - 1) / block), blocks(x_blocks + (m_ + block - 1) / block),
        rows(blocks * block * width), columns(blocks * block * d_), norms(blocks * block), greatest(blocks) {}

  bool in_x(std::int64_t b) const { return b < x_blocks; }
  // how many points block b holds
  int count(std::int64_t b) const {
    const std::int64_t left = in_x(b) ? n - b * block : m - (b - x_blocks) * block;
    return left < block ? int(left) : block;
  }

  template <class In>
  void fill(const In* x, const In* y, bool centred) {
    Workspace<double> origin(d);
    for (std::int64_t k = 0; k < d; ++k) origin[k] = 0;
    if (centred) mean(x, y, origin.data());
    for (std::int64_t b = 0; b < blocks; ++b) {
      const In* from = in_x(b) ? x + b * block * d : y + (b - x_blocks) * block * d;
      fill_block(b, from, origin.data());
    }
  }

 private:
  template <class In>
  void mean(const In* x, const In* y, double* origin) const {
    for (std::int64_t i = 0; i < n * d; i += d)
      for (std::int64_t k = 0; k < d; ++k) origin[k] += widen(x[i + k]);
    for (std::int64_t i = 0; i < m * d; i += d)
      for (std::int64_t k = 0; k < d; ++k) origin[k] += widen(y[i + k]);
    // one point with a NaN or an infinity must not spoil the others
    for (std::int64_t k = 0; k < d; ++k)
      origin[k] = __builtin_isfinite(origin[k]) ? origin[k] / double(n + m) : 0;
  }

  template <class In>
  void fill_block(std::int64_t b, const In* from, const double* origin) {
    const int filled = count(b);
    T most = 0;
    for (int i = 0; i < block; ++i) {
      T* row = rows.data() + (b * block + i) * width;
      double norm = 0;
      for (std::int64_t k = 0; k < width; ++k) row[k] = 0;
      if (i < filled)
        for (std::int64_t k = 0; k < d; ++k) {
          row[k] = T(widen(from[i * d + k]) - origin[k]);
          norm += double(row[k]) * double(row[k]);
        }
      norms[b * block + i] = T(norm);
      most = T(norm) > most ? T(norm) : most;
    }
    greatest[b] = most;
    constexpr int group = Shape<T>::columns;
    for (int first = 0; first < block; first += group) {
      T* to = columns.data() + (b * block + first) * d;
      const T* source = rows.data() + (b * block + first) * width;
      for (std::int64_t k = 0; k < d; ++k)
        for (int j = 0; j < group; ++j) to[k * group + j] = source[j * width + k];
    }
  }
};

}  // namespace fastlatent::FASTLATENT_ISA
