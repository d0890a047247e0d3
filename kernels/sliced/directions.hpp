// Directions in blocks, laid out for the two products: points onto directions, and coefficients back to points.
#pragma once

#include "native/workspace.hpp"
#include "sliced/product.hpp"

namespace fastlatent::FASTLATENT_ISA {

inline constexpr int block_columns = 32;  // directions of a block
inline constexpr std::int64_t chunk_rows = 64;  // points that a product takes at once

inline std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
inline std::int64_t chunks(std::int64_t rows) { return (rows + chunk_rows - 1) / chunk_rows; }

template <class T>
class Directions {
 public:
  Directions(std::int64_t d, std::int64_t blocks)
      : d_(d), columns_(blocks * block_columns * d), rows_(blocks * block_columns * padded<T>(d)) {}

  // Takes directions (count, d) into block b, zeros in the place of missing ones.
  void pack(const T* directions, std::int64_t count, std::int64_t b) {
    const std::int64_t width = padded<T>(d_);
    T* columns = columns_.data() + b * block_columns * d_;
    T* rows = rows_.data() + b * block_columns * width;
    __builtin_memset(columns, 0, sizeof(T) * block_columns * d_);
    __builtin_memset(rows, 0, sizeof(T) * block_columns * width);
    for (std::int64_t c = 0; c < least(block_columns, count); ++c)
      for (std::int64_t k = 0; k < d_; ++k)
        columns[k * block_columns + c] = rows[c * width + k] = directions[c * d_ + k];
  }

  // projected (count × 32) = x · block b.
  void project(const T* x, std::int64_t count, std::int64_t b, T* projected) const {
    multiply<T, false>(x, d_, count, d_, columns_.data() + b * block_columns * d_, block_columns, projected,
                       block_columns, block_columns);
  }

  // gradient += coefficients (count × 32) · the first `directions` of block b.
  void pull_back(const T* coefficients, std::int64_t count, std::int64_t b, std::int64_t directions,
                 T* gradient) const {
    multiply<T, true>(coefficients, block_columns, count, least(block_columns, directions),
                      rows_.data() + b * block_columns * padded<T>(d_), padded<T>(d_), gradient, d_, d_);
  }

 private:
  const std::int64_t d_;
  Workspace<T> columns_, rows_;
};

}  // namespace fastlatent::FASTLATENT_ISA
