// One tile, the pairs of a block of points with another: inner products or distances, profile, gradients.
//
// A tile of a block with itself (on the diagonal) does the pairs i < j only, in whole registers from the one that
// holds the pair of i with itself on; what lies before is zero.
#pragma once

#include "pairwise/packed.hpp"
#include "pairwise/products.hpp"
#include "pairwise/profiles.hpp"

namespace fastlatent::FASTLATENT_ISA {

template <class T>
class Tile {
 public:
  using S = Shape<T>;
  static constexpr int block = S::block;

  explicit Tile(const Packed<T>& points) : z(points) {}

  void at(std::int64_t block_of_rows, std::int64_t block_of_columns) {
    a = block_of_rows, b = block_of_columns;
    rows = z.count(a), columns = z.count(b);
  }

  const T* row(int i) const { return pairs + i * block; }

  // pairs = inner products
  void products() {
    for (int g = 0; g < columns; g += S::columns)
      for (int i = 0; i < rows && !(a == b && i >= g + S::columns); i += S::rows)
        multiply<T, S::rows, S::vectors, false>(z.d, point(a, i), z.width, 1, column_group(g), S::columns,
                                                pairs + i * block + g, block);
  }

  // pairs = squared distances, as exact where they are small as differences of coordinates make them
  void distances() {
    if (z.d <= few_coordinates) return differences();
    products();
    for (int i = 0; i < rows; ++i) {
      T* row = pairs + i * block;
      decltype(Vector<T>{} < 0) close{};
      for (int j = first_column(i); j < columns; j += lanes<T>) {
        const Vector<T> sum = norms(a)[i] + load(norms(b) + j);
        Vector<T> s = sum - 2 * load(row + j);
        s = s < 0 ? Vector<T>{} : s;
        close |= s < sum * cancelled;
        store(row + j, s);
      }
      if (any(close)) repair(i);
    }
  }

  // Σ φ over the pairs, squared distances where `Distances`, else products; leaves weight·φ' in their place, with its
  // sums over rows and columns. On the diagonal a pair of a point with itself counts `of_itself` times half its value
  // and slope.
  template <bool Slope, bool Distances, class Phi>
  double profile(const Phi& phi, T weight, T of_itself) {
    for (int j = 0; j < block; ++j) column_sums[j] = 0;
    double total = 0;
    for (int i = 0; i < rows; ++i)
      total += a == b ? profile_row<Slope, Distances, true>(phi, i, weight, of_itself)
                      : profile_row<Slope, Distances, false>(phi, i, weight, 0);
    return total;
  }

  // gradient of the rows' points += pairs·(the columns' points); sums: what multiplies the rows' points themselves
  void gradient_of_rows(T* gradient, T* sums) const {
    for (int i = 0; i < rows; i += S::rows) {
      const int first = a == b ? i : 0;
      accumulate(columns - first, row(i) + first, block, 1, point(b, first), gradient + (a * block + i) * z.width);
    }
    for (int i = 0; i < rows; ++i) sums[a * block + i] += row_sums[i];
  }

  // the same for the columns' points, with the tile transposed
  void gradient_of_columns(T* gradient, T* sums) const {
    for (int j = 0; j < columns; j += S::rows) {
      const int last = a == b && j + S::rows < rows ? j + S::rows : rows;
      accumulate(last, pairs + j, 1, block, point(a, 0), gradient + (b * block + j) * z.width);
    }
    for (int j = 0; j < columns; ++j) sums[b * block + j] += column_sums[j];
  }

 private:
  // Up to so many coordinates, differences cost no more than products.
  static constexpr std::int64_t few_coordinates = 8;
  // ‖a−b‖² below this share of ‖a‖²+‖b‖² has lost digits in ‖a‖²+‖b‖²−2a·b.
  static constexpr T cancelled = T(1) / 64;

  const Packed<T>& z;
  std::int64_t a = 0, b = 0;  // blocks of the rows and of the columns
  int rows = 0, columns = 0;  // points in them
  alignas(64) T pairs[block * block] = {};  // inner products or squared distances, then weight·φ'
  T row_sums[block], column_sums[block];

  const T* point(std::int64_t of_block, int i) const { return z.rows.data() + (of_block * block + i) * z.width; }
  const T* norms(std::int64_t of_block) const { return z.norms.data() + of_block * block; }
  const T* column_group(int first) const { return z.columns.data() + (b * block + first) * z.d; }
  int first_column(int i) const { return a == b ? i / lanes<T> * lanes<T> : 0; }

  void differences() {
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

  void repair(int i) {
    for (int j = first_column(i); j < columns; ++j) {
      if (!(row(i)[j] < (norms(a)[i] + norms(b)[j]) * cancelled)) continue;
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

  // What one row of the profile adds up to.
  struct Sums {
    Vector<T> values{}, slopes{};
  };

  template <bool Slope, bool Distances, bool Diagonal, class Phi>
  double profile_row(const Phi& phi, int i, T weight, T of_itself) {
    const int first = Diagonal ? first_column(i) : 0, whole = columns / lanes<T> * lanes<T>;
    Sums sums;
    for (int j = 0; Diagonal && Slope && j < first; j += lanes<T>) store(pairs + i * block + j, Vector<T>{});
    int j = first;
    if (Diagonal) {
      edge<Slope, Distances>(phi, i, j, i - first, columns - j, weight, of_itself, sums);
      j += lanes<T>;
    }
    for (; j < whole; j += lanes<T>) {
      Vector<T> slope;
      sums.values += pair<Slope, Distances>(phi, i, j, weight, slope);
      if constexpr (Slope) keep(i, j, slope, sums);
    }
    if (j < columns) edge<Slope, Distances>(phi, i, j, -1, columns - j, weight, of_itself, sums);
    if constexpr (Slope) row_sums[i] = sum_lanes<T>(sums.slopes);
    return sum_lanes<T>(sums.values);
  }

  // a register of pairs: value and weighted slope
  template <bool Slope, bool Distances, class Phi>
  [[gnu::always_inline]] Vector<T> pair(const Phi& phi, int i, int j, T weight, Vector<T>& slope) const {
    Vector<T> s = load(pairs + i * block + j);
    if constexpr (!Phi::inner && !Distances) {
      s = (norms(a)[i] + load(norms(b) + j)) - 2 * s;
      s = s < 0 ? Vector<T>{} : s;  // rounding; NaN stays
    }
    const Vector<T> value = phi.value(s, slope);
    slope *= weight;
    return value;
  }

  [[gnu::always_inline]] void keep(int i, int j, Vector<T> slope, Sums& sums) {
    sums.slopes += slope;
    store(pairs + i * block + j, slope);
    store(column_sums + j, load(column_sums + j) + slope);
  }

  // a register of which only the lanes after `itself` and before `end` count; lane `itself`, if there is one, is the
  // pair of a point with itself
  template <bool Slope, bool Distances, class Phi>
  void edge(const Phi& phi, int i, int j, int itself, int end, T weight, T of_itself, Sums& sums) {
    Vector<T> slope;
    Vector<T> value = pair<Slope, Distances>(phi, i, j, weight, slope);
    const auto lane = lane_numbers<T>();
    const auto counts = (lane >= Integer<T>(itself)) & (lane < Integer<T>(end));
    const Vector<T> share = lane == Integer<T>(itself) ? splat(of_itself / 2) : splat(T(1));
    value = counts ? share * value : Vector<T>{};
    slope = counts ? share * slope : Vector<T>{};
    sums.values += value;
    if constexpr (Slope) keep(i, j, slope, sums);
  }

  // one group of rows of the gradient += a(r, k)·(the k-th of `depth` points)
  void accumulate(int depth, const T* left, std::int64_t a_row, std::int64_t a_depth, const T* points,
                  T* gradient) const {
    std::int64_t k = 0;
    for (; k + S::columns <= z.width; k += S::columns)
      multiply<T, S::rows, S::vectors, true>(depth, left, a_row, a_depth, points + k, z.width, gradient + k, z.width);
    for (; k < z.width; k += lanes<T>)
      multiply<T, S::rows, 1, true>(depth, left, a_row, a_depth, points + k, z.width, gradient + k, z.width);
  }
};

}  // namespace fastlatent::FASTLATENT_ISA
