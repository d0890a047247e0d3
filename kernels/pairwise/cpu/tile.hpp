// One tile, the pairs of one block of points with another: inner products or distances, profile, gradients.
//
// A tile of a block with itself (a diagonal tile) computes only the pairs i < j, in whole registers: row i starts at
// the register of the pair (i, i), and is zero before it.
#pragma once

#include "pairwise/cpu/packed_points.hpp"
#include "pairwise/cpu/profiles.hpp"

namespace fastlatent::FASTLATENT_ISA {

template <class T>
class Tile {
 public:
  using S = TileShape<T>;
  static constexpr int block = PackedPoints<T>::block;

  explicit Tile(const PackedPoints<T>& points) : z(points) {}

  void select(std::int64_t row_block, std::int64_t column_block) {
    a = row_block, b = column_block;
    rows = z.count(a), columns = z.count(b);
  }

  const T* row(int i) const { return pairs + i * block; }

  // pairs = inner products
  void inner_products() {
    for (int g = 0; g < columns; g += S::columns)
      for (int i = 0; i < rows && !(diagonal() && i >= g + S::columns); i += S::rows)
        matmul_tile<S::rows, S::vectors, false>(z.d, point(a, i), z.width, 1, column_group(g), S::columns,
                                                pairs + i * block + g, block);
  }

  // pairs = squared distances; small ones with the accuracy of differences of coordinates
  void distances() {
    if (z.d <= max_difference_dim) return distances_by_differences();
    inner_products();
    for (int i = 0; i < rows; ++i) {
      T* row = pairs + i * block;
      decltype(Vector<T>{} < 0) cancelled{};
      for (int j = first_column(i); j < columns; j += lanes<T>) {
        const Vector<T> sum = norms(a)[i] + load(norms(b) + j);
        Vector<T> s = sum - 2 * load(row + j);
        s = s < 0 ? Vector<T>{} : s;
        cancelled |= s < sum * cancellation_threshold;
        store(row + j, s);
      }
      if (any(cancelled)) recompute_cancelled(i);
    }
  }

  // Returns Σ φ over the pairs, squared distances if `Distances`, else inner products, and replaces them by weight·φ',
  // with its sums over rows and columns. On a diagonal tile the value and slope of a pair (i, i) count
  // `diagonal_weight`/2 times.
  template <bool Slope, bool Distances, class Phi>
  double profile(const Phi& phi, T weight, T diagonal_weight) {
    for (int j = 0; j < block; ++j) column_sums[j] = 0;
    double total = 0;
    for (int i = 0; i < rows; ++i)
      total += diagonal() ? profile_row<Slope, Distances, true>(phi, i, weight, diagonal_weight)
                          : profile_row<Slope, Distances, false>(phi, i, weight, 0);
    return total;
  }

  // gradient of the row points += pairs·(column points); sums: the coefficients of the row points themselves
  void add_row_gradient(T* gradient, T* sums) const {
    for (int i = 0; i < rows; i += S::rows) {
      const int first = diagonal() ? i : 0;
      matmul_row_panel<true>(columns - first, row(i) + first, block, 1, point(b, first), z.width,
                             gradient + (a * block + i) * z.width, z.width, z.width);
    }
    for (int i = 0; i < rows; ++i) sums[a * block + i] += row_sums[i];
  }

  // the same for the column points, with the tile transposed
  void add_column_gradient(T* gradient, T* sums) const {
    for (int j = 0; j < columns; j += S::rows) {
      const int last = diagonal() && j + S::rows < rows ? j + S::rows : rows;
      matmul_row_panel<true>(last, pairs + j, 1, block, point(a, 0), z.width, gradient + (b * block + j) * z.width,
                             z.width, z.width);
    }
    for (int j = 0; j < columns; ++j) sums[b * block + j] += column_sums[j];
  }

 private:
  // Maximal dimension in which differences of coordinates cost no more than inner products.
  static constexpr std::int64_t max_difference_dim = 8;
  // Ratio ‖a−b‖² / (‖a‖²+‖b‖²) below which ‖a‖²+‖b‖²−2a·b has lost digits to cancellation.
  static constexpr T cancellation_threshold = T(1) / 64;

  const PackedPoints<T>& z;
  std::int64_t a = 0, b = 0;  // block of the rows, block of the columns
  int rows = 0, columns = 0;  // points in them
  alignas(64) T pairs[block * block] = {};  // inner products or squared distances, then weight·φ'
  T row_sums[block], column_sums[block];

  bool diagonal() const { return a == b; }
  const T* point(std::int64_t of_block, int i) const { return z.rows.data() + (of_block * block + i) * z.width; }
  const T* norms(std::int64_t of_block) const { return z.norms.data() + of_block * block; }
  const T* column_group(int first) const { return z.columns.data() + (b * block + first) * z.d; }
  int first_column(int i) const { return diagonal() ? i / lanes<T> * lanes<T> : 0; }

  void distances_by_differences() {
    for (int i = 0; i < rows; ++i)
      for (int j = first_column(i); j < columns; j += lanes<T>) {
        const T* others = column_group(j / S::columns * S::columns) + j % S::columns;
        Vector<T> s{};
        for (std::int64_t k = 0; k < z.d; ++k) {
          const Vector<T> difference = point(a, i)[k] - load(others + k * S::columns);
          s += difference * difference;
        }
        store(pairs + i * block + j, s);
      }
  }

  // Recomputes by differences the distances of row i that are below the cancellation threshold.
  void recompute_cancelled(int i) {
    for (int j = first_column(i); j < columns; ++j) {
      if (!(row(i)[j] < (norms(a)[i] + norms(b)[j]) * cancellation_threshold)) continue;
      Vector<T> s{};
      for (std::int64_t k = 0; k < z.width; k += lanes<T>) {
        const Vector<T> difference = load(point(a, i) + k) - load(point(b, j) + k);
        s += difference * difference;
      }
      pairs[i * block + j] = sum_lanes<T>(s);
    }
  }

  template <class Mask>
  static bool any(Mask mask) {
    std::int64_t words[sizeof(Mask) / 8], all = 0;
    __builtin_memcpy(words, &mask, sizeof mask);
    for (std::int64_t word : words) all |= word;
    return all != 0;
  }

  // Sums of the values and slopes of a row, by lane.
  struct Sums {
    Vector<T> values{}, slopes{};
  };

  template <bool Slope, bool Distances, bool Diagonal, class Phi>
  double profile_row(const Phi& phi, int i, T weight, T diagonal_weight) {
    const int first = Diagonal ? first_column(i) : 0, tail = columns / lanes<T> * lanes<T>;
    Sums sums;
    for (int j = 0; Diagonal && Slope && j < first; j += lanes<T>) store(pairs + i * block + j, Vector<T>{});
    int j = first;
    if (Diagonal) {
      masked_tail<Slope, Distances>(phi, i, j, i - first, columns - j, weight, diagonal_weight, sums);
      j += lanes<T>;
    }
    for (; j < tail; j += lanes<T>) {
      Vector<T> slope;
      sums.values += evaluate<Slope, Distances>(phi, i, j, weight, slope);
      if constexpr (Slope) add_slope(i, j, slope, sums);
    }
    if (j < columns) masked_tail<Slope, Distances>(phi, i, j, -1, columns - j, weight, diagonal_weight, sums);
    if constexpr (Slope) row_sums[i] = sum_lanes<T>(sums.slopes);
    return sum_lanes<T>(sums.values);
  }

  // Value and weighted slope of a register of pairs.
  template <bool Slope, bool Distances, class Phi>
  [[gnu::always_inline]] Vector<T> evaluate(const Phi& phi, int i, int j, T weight, Vector<T>& slope) const {
    Vector<T> s = load(pairs + i * block + j);
    if constexpr (!Phi::inner && !Distances) {
      s = (norms(a)[i] + load(norms(b) + j)) - 2 * s;
      s = s < 0 ? Vector<T>{} : s;  // negative by rounding; NaN stays NaN
    }
    const Vector<T> value = phi.value(s, slope);
    slope *= weight;
    return value;
  }

  [[gnu::always_inline]] void add_slope(int i, int j, Vector<T> slope, Sums& sums) {
    sums.slopes += slope;
    store(pairs + i * block + j, slope);
    store(column_sums + j, load(column_sums + j) + slope);
  }

  // A register at either end of a row: only lanes from `diagonal_lane` to before `end` count. Lane `diagonal_lane`, −1
  // if there is none, holds the pair (i, i).
  template <bool Slope, bool Distances, class Phi>
  void masked_tail(const Phi& phi, int i, int j, int diagonal_lane, int end, T weight, T diagonal_weight, Sums& sums) {
    Vector<T> slope;
    Vector<T> value = evaluate<Slope, Distances>(phi, i, j, weight, slope);
    const auto lane = lane_numbers<T>();
    const auto mask = (lane >= Integer<T>(diagonal_lane)) & (lane < Integer<T>(end));
    const Vector<T> factor = lane == Integer<T>(diagonal_lane) ? splat(diagonal_weight / 2) : splat(T(1));
    value = mask ? factor * value : Vector<T>{};
    slope = mask ? factor * slope : Vector<T>{};
    sums.values += value;
    if constexpr (Slope) add_slope(i, j, slope, sums);
  }
};

}  // namespace fastlatent::FASTLATENT_ISA
