// One tile: inner products, profile, gradients.
#pragma once

#include "pairwise/packed.hpp"
#include "pairwise/profiles.hpp"

namespace fastlatent::FASTLATENT_ISA {

// c (R rows of V registers) += or = Σ_k a(r, k)·b(k, ·): the register block that all three products are made of.
template <class T, int R, int V, bool Add>
inline void multiply(std::int64_t depth, const T* a, std::int64_t a_row, std::int64_t a_depth, const T* b,
                     std::int64_t b_depth, T* c, std::int64_t c_row) {
  Vector<T> sum[R][V];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) sum[r][v] = Add ? load(c + r * c_row + v * lanes<T>) : Vector<T>{};
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector<T> right[V];
    for (int v = 0; v < V; ++v) right[v] = load(b + k * b_depth + v * lanes<T>);
    for (int r = 0; r < R; ++r) {
      const Vector<T> left = splat(a[r * a_row + k * a_depth]);
      for (int v = 0; v < V; ++v) sum[r][v] += left * right[v];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v) store(c + r * c_row + v * lanes<T>, sum[r][v]);
}

template <class T>
struct Tile {
  using S = Shape<T>;
  static constexpr int block = S::block;

  T pairs[block * block];  // inner products or squared distances, then w·φ'
  T row_sums[block], column_sums[block];

  // pairs = the inner products of two blocks
  void products(const Packed<T>& z, std::int64_t a, std::int64_t b) {
    const int groups = (z.count(b) + S::columns - 1) / S::columns;
    const int rows = z.count(a);
    for (int g = 0; g < groups; ++g)
      for (int i = 0; i < rows; i += S::rows)
        multiply<T, S::rows, S::vectors, false>(
            z.d, z.rows.data() + (a * block + i) * z.width, z.width, 1,
            z.columns.data() + (b * block + g * S::columns) * z.d, S::columns,
            pairs + i * block + g * S::columns, block);
  }

  // pairs = squared distances, as exact where they are small as differences of coordinates make them
  void distances(const Packed<T>& z, std::int64_t a, std::int64_t b) {
    if (z.d <= few_coordinates) return differences(z, a, b);
    products(z, a, b);
    for (int i = 0; i < z.count(a); ++i) {
      T* row = pairs + i * block;
      const T* right = z.norms.data() + b * block;
      const T left = z.norms[a * block + i];
      decltype(Vector<T>{} < 0) close{};
      for (int j = 0; j < z.count(b); j += lanes<T>) {
        const Vector<T> sum = left + load(right + j);
        Vector<T> s = sum - 2 * load(row + j);
        s = s < 0 ? Vector<T>{} : s;
        close |= s < sum * cancelled;
        store(row + j, s);
      }
      if (any(close)) repair(z, a * block + i, b, left, right, row);
    }
  }

  // Σ φ over the tile; leaves weight·φ' in pairs, with its row and column sums. On a diagonal tile (a block with
  // itself) each pair of a point with itself counts `of_itself`, without a slope.
  template <bool Slope, bool Diagonal, class Phi>
  double profile(const Phi& phi, const Packed<T>& z, std::int64_t a, std::int64_t b, T weight, T of_itself) {
    const int rows = z.count(a), columns = z.count(b);
    const T* left = z.norms.data() + a * block;
    const T* right = z.norms.data() + b * block;
    for (int j = 0; j < block; ++j) column_sums[j] = 0;
    double total = 0;
    for (int i = 0; i < rows; ++i) {
      const int itself = Diagonal ? i : -1;
      total += profile_row<Slope, Diagonal>(phi, pairs + i * block, left[i], right, columns, weight, itself, of_itself,
                                            row_sums[i]);
    }
    return total;
  }

  // gradient of block a += pairs·(points of block b), and the sums that multiply the points of a themselves
  void gradient_of_rows(const Packed<T>& z, std::int64_t a, std::int64_t b, T* gradient, T* sums) const {
    accumulate(z, z.count(a), z.count(b), block, 1, z.rows.data() + b * block * z.width,
               gradient + a * block * z.width);
    for (int i = 0; i < z.count(a); ++i) sums[a * block + i] += row_sums[i];
  }

  // the same for block b, with the tile transposed
  void gradient_of_columns(const Packed<T>& z, std::int64_t a, std::int64_t b, T* gradient, T* sums) const {
    accumulate(z, z.count(b), z.count(a), 1, block, z.rows.data() + a * block * z.width,
               gradient + b * block * z.width);
    for (int j = 0; j < z.count(b); ++j) sums[b * block + j] += column_sums[j];
  }

 private:
  // Up to so many coordinates, differences cost no more than products.
  static constexpr std::int64_t few_coordinates = 8;
  // ‖a−b‖² below this share of ‖a‖²+‖b‖² has lost digits in ‖a‖²+‖b‖²−2a·b.
  static constexpr T cancelled = T(1) / 64;

  void differences(const Packed<T>& z, std::int64_t a, std::int64_t b) {
    for (int i = 0; i < z.count(a); ++i) {
      const T* point = z.rows.data() + (a * block + i) * z.width;
      for (int j = 0; j < z.count(b); j += lanes<T>) {
        const T* others = z.columns.data() + (b * block + j / S::columns * S::columns) * z.d + j % S::columns;
        Vector<T> s{};
        for (std::int64_t k = 0; k < z.d; ++k) {
          const Vector<T> difference = point[k] - load(others + k * S::columns);
          s += difference * difference;
        }
        store(pairs + i * block + j, s);
      }
    }
  }

  void repair(const Packed<T>& z, std::int64_t point, std::int64_t b, T left, const T* right, T* row) const {
    const T* p = z.rows.data() + point * z.width;
    for (int j = 0; j < z.count(b); ++j) {
      if (!(row[j] < (left + right[j]) * cancelled)) continue;
      const T* q = z.rows.data() + (b * block + j) * z.width;
      Vector<T> s{};
      for (std::int64_t k = 0; k < z.width; k += lanes<T>) {
        const Vector<T> difference = load(p + k) - load(q + k);
        s += difference * difference;
      }
      row[j] = sum_lanes<T>(s);
    }
  }

  template <class Mask>
  static bool any(Mask mask) {
    std::int64_t words[sizeof(Mask) / 8], all = 0;
    __builtin_memcpy(words, &mask, sizeof mask);
    for (std::int64_t word : words) all |= word;
    return all != 0;
  }

  template <bool Slope, bool Diagonal, class Phi>
  double profile_row(const Phi& phi, T* row, T left, const T* right, int columns, T weight, int itself, T of_itself,
                     T& row_sum) {
    Vector<T> total{}, slopes{};
    for (int j = 0; j < columns; j += lanes<T>) {
      const Vector<T> products = load(row + j);
      Vector<T> s = products;
      if constexpr (!Phi::inner && !Phi::exact_near_zero) {
        s = (left + load(right + j)) - 2 * products;
        s = s < 0 ? Vector<T>{} : s;  // rounding; NaN stays
      }
      Vector<T> slope;
      Vector<T> value = phi.value(s, slope);
      slope *= weight;
      if (columns - j < lanes<T>) {
        value = keep_first(value, columns - j);
        slope = keep_first(slope, columns - j);
      }
      if (Diagonal && itself >= j && itself < j + lanes<T>) value[itself - j] = of_itself, slope[itself - j] = 0;
      total += value;
      if constexpr (Slope) {
        slopes += slope;
        store(row + j, slope);
        store(column_sums + j, load(column_sums + j) + slope);
      }
    }
    if constexpr (Slope) row_sum = sum_lanes<T>(slopes);
    return sum_lanes<T>(total);
  }

  static Vector<T> keep_first(Vector<T> v, int count) {
    for (int i = count; i < lanes<T>; ++i) v[i] = 0;
    return v;
  }

  void accumulate(const Packed<T>& z, int rows, int depth, std::int64_t a_row, std::int64_t a_depth,
                  const T* points, T* gradient) const {
    std::int64_t k = 0;
    for (; k + S::columns <= z.width; k += S::columns)
      for (int i = 0; i < rows; i += S::rows)
        multiply<T, S::rows, S::vectors, true>(depth, pairs + i * a_row, a_row, a_depth, points + k, z.width,
                                               gradient + i * z.width + k, z.width);
    for (; k < z.width; k += lanes<T>)
      for (int i = 0; i < rows; i += S::rows)
        multiply<T, S::rows, 1, true>(depth, pairs + i * a_row, a_row, a_depth, points + k, z.width,
                                      gradient + i * z.width + k, z.width);
  }
};

}  // namespace fastlatent::FASTLATENT_ISA
