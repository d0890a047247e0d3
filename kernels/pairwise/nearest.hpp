// Nearest neighbours: for few coordinates by differences, for many by the products of tiles.
#pragma once

#include "native/batch.hpp"
#include "pairwise/cpu.hpp"
#include "pairwise/tile.hpp"

namespace fastlatent::FASTLATENT_ISA {

// The best candidate of each lane so far: the smallest score, and where it was first met.
template <class T>
struct Best {
  Vector<T> score;
  Vector<Integer<T>> index;

  Best() : score(splat(T(__builtin_huge_val()))), index{} {}

  void meet(Vector<T> candidate, Vector<Integer<T>> where) {
    const auto better = candidate < score;
    score = better ? candidate : score;
    index = better ? where : index;
  }

  std::int64_t winner(T& least) const {
    std::int64_t found = 0;
    least = T(__builtin_huge_val());
    for (int lane = 0; lane < lanes<T>; ++lane)
      if (score[lane] < least || (score[lane] == least && index[lane] < found)) least = score[lane], found = index[lane];
    return found;
  }
};

// A cloud y coordinate by coordinate, padded with points at infinity.
template <class In, class T>
struct Coordinates {
  const std::int64_t stride;
  Workspace<T> values;

  Coordinates(const In* y, std::int64_t m, std::int64_t d) : stride(round_up(m, lanes<T>)), values(stride * d) {
    for (std::int64_t k = 0; k < d; ++k)
      for (std::int64_t j = 0; j < stride; ++j)
        values[k * stride + j] = j < m ? T(widen(y[j * d + k])) : T(__builtin_huge_val());
  }

  // the nearest to each of `rows` points, which share the loads of y
  template <int rows>
  void nearest(const In* x, std::int64_t d, std::int64_t* index) const {
    Best<T> best[rows];
    auto where = lane_numbers<T>();
    for (std::int64_t j = 0; j < stride; j += lanes<T>) {
      Vector<T> s[rows] = {};
      for (std::int64_t k = 0; k < d; ++k) {
        const Vector<T> other = load(values.data() + k * stride + j);
        for (int r = 0; r < rows; ++r) {
          const Vector<T> difference = T(widen(x[r * d + k])) - other;
          s[r] += difference * difference;
        }
      }
      for (int r = 0; r < rows; ++r) best[r].meet(s[r], where);
      where += lanes<T>;
    }
    T least;
    for (int r = 0; r < rows; ++r) index[r] = best[r].winner(least);
  }
};

// By tiles: ‖b‖² − 2a·b orders the points b as their distance to a does.
template <class T>
void nearest_in_tiles(const Packed<T>& z, std::int64_t a, Tile<T>& tile, std::int64_t* index) {
  constexpr int block = Packed<T>::block;
  T least[block];
  for (T& score : least) score = T(__builtin_huge_val());
  for (std::int64_t b = z.x_blocks; b < z.blocks; ++b) {
    tile.at(a, b);
    tile.products();
    const T* norms = z.norms.data() + b * block;
    for (int i = 0; i < z.count(a); ++i) {
      Best<T> best;
      auto where = lane_numbers<T>();
      for (int j = 0; j < z.count(b); j += lanes<T>) {
        Vector<T> score = load(norms + j) - 2 * load(tile.row(i) + j);
        for (int k = z.count(b) - j; k < lanes<T>; ++k) score[k] = T(__builtin_huge_val());
        best.meet(score, where);
        where += lanes<T>;
      }
      T score;
      const std::int64_t found = best.winner(score);
      if (score < least[i]) least[i] = score, index[i] = (b - z.x_blocks) * block + found;
    }
  }
}

// The first point of y that has a NaN, or −1: every distance to it is NaN, and it is everyone's nearest.
template <class In>
std::int64_t first_nan(const In* y, std::int64_t m, std::int64_t d) {
  for (std::int64_t i = 0; i < m * d; ++i)
    if (widen(y[i]) != widen(y[i])) return i / d;
  return -1;
}

template <class In, class T>
void nearest_of_cloud(const In* x, const In* y, const NearestNeighbours& f, std::int64_t* index, int threads) {
  constexpr std::int64_t few_coordinates = 8, rows = 4;
  const std::int64_t nan = first_nan(y, f.m, f.d);
  for (std::int64_t i = 0; i < f.n; ++i) index[i] = nan < 0 ? 0 : nan;
  if (nan < 0 && f.d <= few_coordinates) {
    const Coordinates<In, T> other(y, f.m, f.d);
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (std::int64_t i = 0; i < f.n / rows * rows; i += rows) other.template nearest<rows>(x + i * f.d, f.d, index + i);
    for (std::int64_t i = f.n / rows * rows; i < f.n; ++i) other.template nearest<1>(x + i * f.d, f.d, index + i);
  } else if (nan < 0) {
    Packed<T> z(f.n, f.m, f.d);
    z.fill(x, y, true);
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
      Tile<T> tile(z);
#pragma omp for schedule(static)
      for (std::int64_t a = 0; a < z.x_blocks; ++a) nearest_in_tiles(z, a, tile, index + a * z.block);
    }
  }
}

template <class In, class T>
void find_nearest(const NearestNeighbours& f) {
  over_batch(f.batch, f.threads, [&](std::int64_t item, int threads) {
    nearest_of_cloud<In, T>(static_cast<const In*>(f.x) + item * f.n * f.d,
                            static_cast<const In*>(f.y) + item * f.m * f.d, f, f.index + item * f.n, threads);
  });
}

}  // namespace fastlatent::FASTLATENT_ISA
