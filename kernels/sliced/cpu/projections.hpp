// Projection directions in blocks, packed for both matmuls: points onto directions, and coefficients back to points.
#pragma once

#include "native/workspace.hpp"
#include "sliced/cpu/panel.hpp"

namespace fastlatent::FASTLATENT_ISA {

inline constexpr int block_columns = 32;        // directions of a block
inline constexpr std::int64_t chunk_rows = 64;  // points of one matmul
static_assert(chunk_rows % panel_rows == 0);

inline std::int64_t chunk_count(std::int64_t rows) { return ceil_div(rows, chunk_rows); }

template <class T>
class Projections {
 public:
  Projections(std::int64_t d, std::int64_t blocks)
      : d_(d), columns_(blocks * block_columns * d), rows_(blocks * block_columns * padded_columns<T>(d)) {}

  // Packs directions (count, d) into block b, and zeros for the missing ones.
  void pack(const T* directions, std::int64_t count, std::int64_t b) {
    const std::int64_t width = padded_columns<T>(d_);
    T* columns = columns_.data() + b * block_columns * d_;
    T* rows = rows_.data() + b * block_columns * width;
    __builtin_memset(columns, 0, sizeof(T) * block_columns * d_);
    __builtin_memset(rows, 0, sizeof(T) * block_columns * width);
    for (std::int64_t c = 0; c < min(block_columns, count); ++c)
      for (std::int64_t k = 0; k < d_; ++k)
        columns[k * block_columns + c] = rows[c * width + k] = directions[c * d_ + k];
  }

  // projected (count, 32) = x (count, d) · block bᵀ
  void project(const T* x, std::int64_t count, std::int64_t b, T* projected) const {
    matmul_panels<false>(x, d_, count, d_, columns_.data() + b * block_columns * d_, block_columns, projected,
                         block_columns, block_columns);
  }

  // gradient (count, d) += coefficients (count, 32) · the first `directions` rows of block b
  void backproject(const T* coefficients, std::int64_t count, std::int64_t b, std::int64_t directions,
                   T* gradient) const {
    const std::int64_t width = padded_columns<T>(d_);
    matmul_panels<true>(coefficients, block_columns, count, min(block_columns, directions),
                        rows_.data() + b * block_columns * width, width, gradient, d_, d_);
  }

 private:
  const std::int64_t d_;
  Workspace<T> columns_, rows_;
};

}  // namespace fastlatent::FASTLATENT_ISA
