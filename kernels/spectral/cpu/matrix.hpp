// Small dense matrices of float32 or float64 that fit in cache: storage, matmul, Cholesky.
#pragma once

#include "native/matmul.hpp"
#include "native/workspace.hpp"

namespace fastlatent::FASTLATENT_ISA {

inline constexpr int tile_rows = TileShape<float>::rows;
static_assert(tile_rows == TileShape<double>::rows);

// Memory of one thread, allocated as a stack and reused by later calls: new pages from the system would cost more than
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

// Scratch memory from the arena, or from the heap if the arena is full.
template <class T>
class Scratch {
 public:
  explicit Scratch(std::size_t count) {
    const std::size_t bytes = round_up(count * sizeof(T), 64);
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
  std::size_t bytes_ = 0;  // 0: from the heap
};

template <class T>
struct Transposed;

// Row-major. Rows are padded to whole tiles with scratch, columns to whole registers with zeros. Rows of 8, 16, 24, …
// registers have one register more between them: otherwise a column would map to few sets of the cache.
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

  // as the left factor of matmul
  const T* data() const { return storage.data(); }
  std::int64_t row_stride() const { return stride; }
  static constexpr std::int64_t depth_stride() { return 1; }
  Transposed<T> transposed() const { return {*this}; }

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

// View of Aᵀ, as the left factor of matmul.
template <class T>
struct Transposed {
  const Matrix<T>& a;
  const T* data() const { return a.data(); }
  static constexpr std::int64_t row_stride() { return 1; }
  std::int64_t depth_stride() const { return a.stride; }
};

// Tr AᵀB; each row is summed in T.
template <class T>
inline double inner(const Matrix<T>& a, const Matrix<T>& b) {
  double sum = 0;
  for (std::int64_t i = 0; i < a.rows; ++i) {
    Vector<T> row_sum = {};
    for (std::int64_t j = 0; j < a.padded; j += lanes<T>) row_sum += load(a.row(i) + j) * load(b.row(i) + j);
    sum += double(sum_lanes<T>(row_sum));
  }
  return sum;
}

// C = A·B for a Matrix or Transposed A; with `upper` only the tiles that reach the upper triangle.
template <bool upper = false, class Left, class T>
inline void matmul(Matrix<T>& c, const Left& a, const Matrix<T>& b) {
  for (std::int64_t i = 0; i < c.rows; i += tile_rows) {
    const std::int64_t first = upper ? round_down(i, lanes<T>) : 0;
    matmul_row_panel<false>(b.rows, a.data() + i * a.row_stride(), a.row_stride(), a.depth_stride(), b.row(0) + first,
                            b.stride, c.row(i) + first, c.stride, c.columns - first);
  }
}

// C = A·B for a symmetric result: half the operations.
template <class Left, class T>
inline void matmul_symmetric(Matrix<T>& c, const Left& a, const Matrix<T>& b) {
  matmul<true>(c, a, b);
  for (std::int64_t i = 0; i < c.rows; ++i)
    for (std::int64_t j = 0; j < i; ++j) c.row(i)[j] = c.row(j)[i];
}

// C = R·B for an upper triangular R.
template <class T>
inline void matmul_triangular(Matrix<T>& c, const Matrix<T>& r, const Matrix<T>& b) {
  for (std::int64_t i = 0; i < c.rows; i += tile_rows)
    matmul_row_panel<false>(b.rows - i, r.row(i) + i, r.stride, 1, b.row(i), b.stride, c.row(i), c.stride, c.columns);
}

// row ← row − factor·other, from column `from` on.
template <class T>
inline void subtract_row(Matrix<T>& m, std::int64_t row, T factor, const T* other, std::int64_t from) {
  const Vector<T> factors = splat(factor);
  for (std::int64_t j = round_down(from, lanes<T>); j < m.padded; j += lanes<T>)
    store(m.row(row) + j, load(m.row(row) + j) - factors * load(other + j));
}

// Upper triangular R with RᵀR = A for positive semidefinite A, which is overwritten. A pivot within the rounding error
// of its diagonal entry gives a row of zeros. Returns whether there is no such pivot.
template <class T>
inline bool cholesky(Matrix<T>& r, Matrix<T>& a) {
  const std::int64_t d = a.rows;
  const T rounding = T(d) * (sizeof(T) == 4 ? T(1.2e-7) : T(2.2e-16));
  bool definite = true;
  Matrix<T> above(tile_rows, d);
  for (std::int64_t begin = 0; begin < d; begin += tile_rows) {
    const std::int64_t end = min(begin + tile_rows, d);
    const std::int64_t first = round_down(begin, lanes<T>);
    matmul_row_panel<false>(begin, r.row(0) + begin, 1, r.stride, r.row(0) + first, r.stride, above.row(0) + first,
                            above.stride, d - first);
    for (std::int64_t k = begin; k < end; ++k) {
      const T min_pivot = rounding * a.row(k)[k];
      subtract_row(a, k, T(1), above.row(k - begin), begin);
      for (std::int64_t i = begin; i < k; ++i) subtract_row(a, k, r.row(i)[k], r.row(i), begin);
      const T pivot = a.row(k)[k];
      if (pivot <= min_pivot) definite = false;
      if (pivot <= min_pivot) continue;  // a NaN propagates
      const T inverse = T(1 / __builtin_sqrt(double(pivot)));
      for (std::int64_t j = k; j < d; ++j) r.row(k)[j] = a.row(k)[j] * inverse;
    }
  }
  return definite;
}

// X ← R⁻¹X for an upper triangular R without zeros on its diagonal, from the last rows up.
template <class T>
inline void solve_triangular(const Matrix<T>& r, Matrix<T>& x) {
  const std::int64_t d = r.rows;
  Matrix<T> below(tile_rows, x.columns);
  for (std::int64_t begin = round_down(d - 1, tile_rows); begin >= 0; begin -= tile_rows) {
    const std::int64_t end = min(begin + tile_rows, d);
    matmul_row_panel<false>(d - end, r.row(begin) + end, r.stride, 1, x.row(end), x.stride, below.row(0), below.stride,
                            x.columns);
    for (std::int64_t i = end - 1; i >= begin; --i) {
      subtract_row(x, i, T(1), below.row(i - begin), 0);
      for (std::int64_t k = i + 1; k < end; ++k) subtract_row(x, i, r.row(i)[k], x.row(k), 0);
      const T inverse = 1 / r.row(i)[i];
      for (std::int64_t j = 0; j < x.columns; ++j) x.row(i)[j] *= inverse;
    }
  }
}

}  // namespace fastlatent::FASTLATENT_ISA
