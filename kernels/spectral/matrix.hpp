// Small dense matrices of float32 or float64 that stay in cache: storage, products, Cholesky.
#pragma once

#include "native/vector.hpp"
#include "native/workspace.hpp"

namespace fastlatent::FASTLATENT_ISA {

inline constexpr int tile_rows = vector_bytes == 64 ? 12 : 6;  // with two registers a row they fill the register file

inline std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

// Memory of one thread, handed out as a stack and kept between calls: fresh pages from the system would cost more than
// a small decomposition.
struct Arena {
  static constexpr std::size_t capacity = 4 << 20;
  char* base = static_cast<char*>(std::aligned_alloc(64, capacity));
  std::size_t used = 0;
  ~Arena() { std::free(base); }

  static Arena& of_thread() {
    static thread_local Arena arena;
    return arena;
  }
};

// Scratch memory from the arena; what does not fit is allocated.
template <class T>
class Scratch {
 public:
  explicit Scratch(std::size_t count) {
    const std::size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
    Arena& arena = Arena::of_thread();
    if (arena.base && arena.used + bytes <= Arena::capacity) {
      data_ = reinterpret_cast<T*>(arena.base + arena.used);
      arena.used += bytes_ = bytes;
    } else {
      data_ = static_cast<T*>(std::aligned_alloc(64, bytes));
      if (!data_) throw std::bad_alloc();
    }
  }
  ~Scratch() { bytes_ ? void(Arena::of_thread().used -= bytes_) : std::free(data_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }

 private:
  T* data_;
  std::size_t bytes_ = 0;  // 0: not from the arena
};

// Row-major, rows and columns padded to whole tiles. What lies in the padding of columns is 0; that of rows is scratch.
template <class T>
struct Matrix {
  const std::int64_t rows, columns, stride;
  Scratch<T> storage;

  Matrix(std::int64_t rows_, std::int64_t columns_)
      : rows(rows_), columns(columns_), stride(round_up(columns_, lanes<T>)),
        storage((round_up(rows_, tile_rows) + 1) * stride + tile_rows) {
    __builtin_memset(storage.data(), 0, ((round_up(rows, tile_rows) + 1) * stride + tile_rows) * sizeof(T));
  }
  T* row(std::int64_t i) { return storage.data() + i * stride; }
  const T* row(std::int64_t i) const { return storage.data() + i * stride; }

  void set_identity() {
    for (std::int64_t i = 0; i < rows; ++i) row(i)[i] = 1;
  }
  void copy_transposed(const Matrix& other) {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j) row(i)[j] = other.row(j)[i];
  }
  void scale_rows(const Matrix& other, const T* factors) {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < stride; ++j) row(i)[j] = factors[i] * other.row(i)[j];
  }
  // factor·other + shift·I
  void polynomial(T factor, const Matrix& other, T shift) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < stride; ++j) row(i)[j] = factor * other.row(i)[j];
      row(i)[i] += shift;
    }
  }
  double trace() const {
    double sum = 0;
    for (std::int64_t i = 0; i < rows; ++i) sum += double(row(i)[i]);
    return sum;
  }
};

// Tr AᵀB, each row summed in T
template <class T>
inline double inner(const Matrix<T>& a, const Matrix<T>& b) {
  double sum = 0;
  for (std::int64_t i = 0; i < a.rows; ++i) {
    Vector<T> of_row = {};
    for (std::int64_t j = 0; j < a.stride; j += lanes<T>) of_row += load(a.row(i) + j) * load(b.row(i) + j);
    sum += double(sum_lanes<T>(of_row));
  }
  return sum;
}

template <int registers, class T>
inline void multiply_tile(std::int64_t depth, const T* a, std::int64_t a_row, std::int64_t a_depth, const T* b,
                          std::int64_t b_stride, T* c, std::int64_t c_stride) {
  Vector<T> sum[tile_rows][registers] = {};
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector<T> right[registers];
    for (int v = 0; v < registers; ++v) right[v] = load(b + k * b_stride + v * lanes<T>);
    for (int r = 0; r < tile_rows; ++r) {
      const Vector<T> left = splat(a[r * a_row + k * a_depth]);
      for (int v = 0; v < registers; ++v) sum[r][v] += left * right[v];
    }
  }
  for (int r = 0; r < tile_rows; ++r)
    for (int v = 0; v < registers; ++v) store(c + r * c_stride + v * lanes<T>, sum[r][v]);
}

// C = A·B, or AᵀB; only tiles that reach the upper triangle if `upper`.
template <class T>
inline void multiply(Matrix<T>& c, const Matrix<T>& a, bool transposed, const Matrix<T>& b, bool upper = false) {
  constexpr int width = lanes<T>;
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
template <class T>
inline void multiply_symmetric(Matrix<T>& c, const Matrix<T>& a, bool transposed, const Matrix<T>& b) {
  multiply(c, a, transposed, b, true);
  for (std::int64_t i = 0; i < c.rows; ++i)
    for (std::int64_t j = 0; j < i; ++j) c.row(i)[j] = c.row(j)[i];
}

// Upper triangular R with RᵀR = A for positive semidefinite A, which is overwritten; a pivot that is rounding beside
// its diagonal entry makes a row of zeros.
template <class T>
inline void cholesky(Matrix<T>& r, Matrix<T>& a) {
  const std::int64_t d = a.rows;
  const T rounding = T(d) * (sizeof(T) == 4 ? T(1.2e-7) : T(2.2e-16));
  Workspace<T> least(d);
  for (std::int64_t k = 0; k < d; ++k) least[k] = rounding * a.row(k)[k];
  for (std::int64_t k = 0; k < d; ++k) {
    const T pivot = a.row(k)[k];
    if (pivot <= least[k]) continue;  // NaN goes on
    const T inverse = T(1 / __builtin_sqrt(double(pivot)));
    for (std::int64_t j = k; j < d; ++j) r.row(k)[j] = a.row(k)[j] * inverse;
    for (std::int64_t i = k + 1; i < d; ++i) {
      const Vector<T> factor = splat(r.row(k)[i]);
      for (std::int64_t j = i / lanes<T> * lanes<T>; j < a.stride; j += lanes<T>)
        store(a.row(i) + j, load(a.row(i) + j) - factor * load(r.row(k) + j));
    }
  }
}

// X = R⁻¹ of an upper triangle without zeros on its diagonal, from the last row up
template <class T>
inline void invert_triangle(Matrix<T>& x, const Matrix<T>& r) {
  for (std::int64_t i = r.rows - 1; i >= 0; --i) {
    x.row(i)[i] = 1;
    for (std::int64_t k = i + 1; k < r.rows; ++k) {
      const Vector<T> factor = splat(r.row(i)[k]);
      for (std::int64_t j = k / lanes<T> * lanes<T>; j < x.stride; j += lanes<T>)
        store(x.row(i) + j, load(x.row(i) + j) - factor * load(x.row(k) + j));
    }
    for (std::int64_t j = i; j < r.rows; ++j) x.row(i)[j] /= r.row(i)[i];
  }
}

}  // namespace fastlatent::FASTLATENT_ISA
