// Small dense matrices of float64 that stay in cache: storage, products, Cholesky.
#pragma once

#include "native/vector.hpp"
#include "native/workspace.hpp"

namespace fastlatent::FASTLATENT_ISA {

using Register = Vector<double>;
inline constexpr int width = lanes<double>;
inline constexpr int tile_rows = vector_bytes == 64 ? 12 : 6;  // with two registers a row they fill the register file

inline std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

// Scratch memory of one thread, handed out as a stack and kept between calls: fresh pages from the system would cost
// more than a small decomposition. What does not fit is allocated.
class Scratch {
 public:
  explicit Scratch(std::size_t count) {
    const std::size_t bytes = (count * sizeof(double) + 63) / 64 * 64;
    Arena& arena = of_thread();
    if (arena.base && arena.used + bytes <= capacity) {
      data_ = reinterpret_cast<double*>(arena.base + arena.used);
      arena.used += bytes_ = bytes;
    } else {
      data_ = static_cast<double*>(std::aligned_alloc(64, bytes));
      if (!data_) throw std::bad_alloc();
    }
  }
  ~Scratch() { bytes_ ? void(of_thread().used -= bytes_) : std::free(data_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  double* data() { return data_; }
  const double* data() const { return data_; }

 private:
  static constexpr std::size_t capacity = 4 << 20;
  struct Arena {
    char* base = static_cast<char*>(std::aligned_alloc(64, capacity));
    std::size_t used = 0;
    ~Arena() { std::free(base); }
  };
  static Arena& of_thread() {
    static thread_local Arena arena;
    return arena;
  }

  double* data_;
  std::size_t bytes_ = 0;  // 0: not from the arena
};

// Row-major, rows and columns padded to whole tiles. What lies in the padding of columns is 0; that of rows is scratch.
struct Matrix {
  const std::int64_t rows, columns, stride;
  Scratch storage;

  Matrix(std::int64_t rows_, std::int64_t columns_)
      : rows(rows_), columns(columns_), stride(round_up(columns_, width)),
        storage((round_up(rows_, tile_rows) + 1) * stride + tile_rows) {
    __builtin_memset(storage.data(), 0, ((round_up(rows, tile_rows) + 1) * stride + tile_rows) * sizeof(double));
  }
  double* row(std::int64_t i) { return storage.data() + i * stride; }
  const double* row(std::int64_t i) const { return storage.data() + i * stride; }

  void set_identity() {
    for (std::int64_t i = 0; i < rows; ++i) row(i)[i] = 1;
  }
  void copy(const Matrix& other) { __builtin_memcpy(row(0), other.row(0), rows * stride * sizeof(double)); }
  void copy_transposed(const Matrix& other) {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j) row(i)[j] = other.row(j)[i];
  }
  void scale_rows(const Matrix& other, const double* factors) {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < stride; ++j) row(i)[j] = factors[i] * other.row(i)[j];
  }
  double trace() const {
    double sum = 0;
    for (std::int64_t i = 0; i < rows; ++i) sum += row(i)[i];
    return sum;
  }
};

template <int registers>
inline void multiply_tile(std::int64_t depth, const double* a, std::int64_t a_row, std::int64_t a_depth,
                          const double* b, std::int64_t b_stride, double* c, std::int64_t c_stride) {
  Register sum[tile_rows][registers] = {};
  for (std::int64_t k = 0; k < depth; ++k) {
    Register right[registers];
    for (int v = 0; v < registers; ++v) right[v] = load(b + k * b_stride + v * width);
    for (int r = 0; r < tile_rows; ++r) {
      const Register left = splat(a[r * a_row + k * a_depth]);
      for (int v = 0; v < registers; ++v) sum[r][v] += left * right[v];
    }
  }
  for (int r = 0; r < tile_rows; ++r)
    for (int v = 0; v < registers; ++v) store(c + r * c_stride + v * width, sum[r][v]);
}

// C = A·B, or AᵀB; only tiles that reach the upper triangle if `upper`.
inline void multiply(Matrix& c, const Matrix& a, bool transposed, const Matrix& b, bool upper = false) {
  const std::int64_t depth = b.rows, a_row = transposed ? 1 : a.stride, a_depth = transposed ? a.stride : 1;
  for (std::int64_t i = 0; i < c.rows; i += tile_rows) {
    std::int64_t j = upper ? i / width * width : 0;
    for (; j + 2 * width <= c.stride; j += 2 * width)
      multiply_tile<2>(depth, a.row(0) + i * a_row, a_row, a_depth, b.row(0) + j, b.stride, c.row(i) + j, c.stride);
    if (j < c.stride)
      multiply_tile<1>(depth, a.row(0) + i * a_row, a_row, a_depth, b.row(0) + j, b.stride, c.row(i) + j, c.stride);
  }
}

// C = AᵀB or A·B where the result is symmetric: half the work.
inline void multiply_symmetric(Matrix& c, const Matrix& a, bool transposed, const Matrix& b) {
  multiply(c, a, transposed, b, true);
  for (std::int64_t i = 0; i < c.rows; ++i)
    for (std::int64_t j = 0; j < i; ++j) c.row(i)[j] = c.row(j)[i];
}

// Upper triangular R with RᵀR = A for positive semidefinite A, which is overwritten; a pivot that is rounding beside
// its diagonal entry makes a row of zeros.
inline void cholesky(Matrix& r, Matrix& a) {
  const std::int64_t d = a.rows;
  const double rounding = double(d) * 2.2e-16;
  Workspace<double> least(d);
  for (std::int64_t k = 0; k < d; ++k) least[k] = rounding * a.row(k)[k];
  for (std::int64_t k = 0; k < d; ++k) {
    const double pivot = a.row(k)[k];
    if (pivot <= least[k]) continue;  // NaN goes on
    const double inverse = 1 / __builtin_sqrt(pivot);
    for (std::int64_t j = k; j < d; ++j) r.row(k)[j] = a.row(k)[j] * inverse;
    for (std::int64_t i = k + 1; i < d; ++i) {
      const Register factor = splat(r.row(k)[i]);
      for (std::int64_t j = i / width * width; j < a.stride; j += width)
        store(a.row(i) + j, load(a.row(i) + j) - factor * load(r.row(k) + j));
    }
  }
}

}  // namespace fastlatent::FASTLATENT_ISA
