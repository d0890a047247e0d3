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
  static constexpr std::size_t capacity = 16 << 20;
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

// Row-major. Rows are padded to whole tiles with scratch, columns to whole registers with zeros. A row of 8, 16, 24, …
// registers is one more apart from the next: a column would fall on few sets of the cache.
template <class T>
struct Matrix {
  const std::int64_t rows, columns, padded, stride;
  Scratch<T> storage;

  Matrix(std::int64_t rows_, std::int64_t columns_)
      : rows(rows_), columns(columns_), padded(round_up(columns_, lanes<T>)),
        stride(padded + (padded % (8 * lanes<T>) ? 0 : lanes<T>)),
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
      for (std::int64_t j = 0; j < padded; ++j) row(i)[j] = factors[i] * other.row(i)[j];
  }
  // factor·other + shift·I
  void polynomial(T factor, const Matrix& other, T shift) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < padded; ++j) row(i)[j] = factor * other.row(i)[j];
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
    for (std::int64_t j = 0; j < a.padded; j += lanes<T>) of_row += load(a.row(i) + j) * load(b.row(i) + j);
    sum += double(sum_lanes<T>(of_row));
  }
  return sum;
}

template <int registers, class T>
inline void multiply_tile(std::int64_t depth, const T* a, std::int64_t a_row, std::int64_t a_depth, const T* b,
                          T* c, std::int64_t stride) {
  Vector<T> sum[tile_rows][registers] = {};
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector<T> right[registers];
    for (int v = 0; v < registers; ++v) right[v] = load(b + k * stride + v * lanes<T>);
    for (int r = 0; r < tile_rows; ++r) {
      const Vector<T> left = splat(a[r * a_row + k * a_depth]);
      for (int v = 0; v < registers; ++v) sum[r][v] += left * right[v];
    }
  }
  for (int r = 0; r < tile_rows; ++r)
    for (int v = 0; v < registers; ++v) store(c + r * stride + v * lanes<T>, sum[r][v]);
}

// One row of tiles: C = A·B in columns [from, to), for A of `depth` columns whose entries lie a_row and a_depth apart.
template <class T>
inline void multiply_rows(T* c, std::int64_t depth, const T* a, std::int64_t a_row, std::int64_t a_depth, const T* b,
                          std::int64_t stride, std::int64_t from, std::int64_t to) {
  constexpr int width = lanes<T>;
  std::int64_t j = from / width * width;
  for (; j + width < to; j += 2 * width) multiply_tile<2>(depth, a, a_row, a_depth, b + j, c + j, stride);
  if (j < to) multiply_tile<1>(depth, a, a_row, a_depth, b + j, c + j, stride);
}

// C = A·B, or AᵀB; only tiles that reach the upper triangle if `upper`.
template <class T>
inline void multiply(Matrix<T>& c, const Matrix<T>& a, bool transposed, const Matrix<T>& b, bool upper = false) {
  const std::int64_t a_row = transposed ? 1 : a.stride, a_depth = transposed ? a.stride : 1;
  for (std::int64_t i = 0; i < c.rows; i += tile_rows)
    multiply_rows(c.row(i), b.rows, a.row(0) + i * a_row, a_row, a_depth, b.row(0), b.stride, upper ? i : 0, c.columns);
}

// C = AᵀB or A·B where the result is symmetric: half the work.
template <class T>
inline void multiply_symmetric(Matrix<T>& c, const Matrix<T>& a, bool transposed, const Matrix<T>& b) {
  multiply(c, a, transposed, b, true);
  for (std::int64_t i = 0; i < c.rows; ++i)
    for (std::int64_t j = 0; j < i; ++j) c.row(i)[j] = c.row(j)[i];
}

// C = R·B for an upper triangle R
template <class T>
inline void multiply_triangle(Matrix<T>& c, const Matrix<T>& r, const Matrix<T>& b) {
  for (std::int64_t i = 0; i < c.rows; i += tile_rows)
    multiply_rows(c.row(i), b.rows - i, r.row(i) + i, r.stride, 1, b.row(i), b.stride, 0, c.columns);
}

// row ← row − factor·other, from column `from` on
template <class T>
inline void subtract_row(Matrix<T>& m, std::int64_t row, T factor, const T* other, std::int64_t from) {
  const Vector<T> by = splat(factor);
  for (std::int64_t j = from / lanes<T> * lanes<T>; j < m.padded; j += lanes<T>)
    store(m.row(row) + j, load(m.row(row) + j) - by * load(other + j));
}

// Upper triangular R with RᵀR = A for positive semidefinite A, which is overwritten; a pivot that is rounding beside
// its diagonal entry makes a row of zeros. Whether there was none.
template <class T>
inline bool cholesky(Matrix<T>& r, Matrix<T>& a) {
  const std::int64_t d = a.rows;
  const T rounding = T(d) * (sizeof(T) == 4 ? T(1.2e-7) : T(2.2e-16));
  bool definite = true;
  Matrix<T> above(tile_rows, d);
  for (std::int64_t begin = 0; begin < d; begin += tile_rows) {
    const std::int64_t end = begin + tile_rows < d ? begin + tile_rows : d;
    multiply_rows(above.row(0), begin, r.row(0) + begin, 1, r.stride, r.row(0), r.stride, begin, d);
    for (std::int64_t k = begin; k < end; ++k) {
      const T least = rounding * a.row(k)[k];
      subtract_row(a, k, T(1), above.row(k - begin), begin);
      for (std::int64_t i = begin; i < k; ++i) subtract_row(a, k, r.row(i)[k], r.row(i), begin);
      const T pivot = a.row(k)[k];
      if (pivot <= least) definite = false;
      if (pivot <= least) continue;  // NaN goes on
      const T inverse = T(1 / __builtin_sqrt(double(pivot)));
      for (std::int64_t j = k; j < d; ++j) r.row(k)[j] = a.row(k)[j] * inverse;
    }
  }
  return definite;
}

// X ← R⁻¹X for an upper triangle without zeros on its diagonal, from the last rows up
template <class T>
inline void solve_triangle(const Matrix<T>& r, Matrix<T>& x) {
  const std::int64_t d = r.rows;
  Matrix<T> below(tile_rows, x.columns);
  for (std::int64_t begin = (d - 1) / tile_rows * tile_rows; begin >= 0; begin -= tile_rows) {
    const std::int64_t end = begin + tile_rows < d ? begin + tile_rows : d;
    multiply_rows(below.row(0), d - end, r.row(begin) + end, r.stride, 1, x.row(end), x.stride, 0, x.columns);
    for (std::int64_t i = end - 1; i >= begin; --i) {
      subtract_row(x, i, T(1), below.row(i - begin), 0);
      for (std::int64_t k = i + 1; k < end; ++k) subtract_row(x, i, r.row(i)[k], x.row(k), 0);
      const T inverse = 1 / r.row(i)[i];
      for (std::int64_t j = 0; j < x.columns; ++j) x.row(i)[j] *= inverse;
    }
  }
}

}  // namespace fastlatent::FASTLATENT_ISA
