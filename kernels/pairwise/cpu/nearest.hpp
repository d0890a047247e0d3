// Nearest neighbors: by differences of coordinates in few dimensions, else by the inner products of tiles.
#pragma once

#include "native/batch.hpp"
#include "pairwise/cpu/engine.hpp"
#include "pairwise/cpu/tile.hpp"

namespace fastlatent::FASTLATENT_ISA {

// Argmin by lane: the smallest score of each lane, and the first index at which it occurs.
template <class T>
struct LaneArgmin {
  Vector<T> score;
  Integers<T> index;

  LaneArgmin() : score(splat(T(__builtin_huge_val()))), index{} {}

  void update(Vector<T> candidate, Integers<T> candidate_index) {
    const auto smaller = candidate < score;
    score = smaller ? candidate : score;
    index = smaller ? candidate_index : index;
  }

  // Argmin over the lanes, and its score.
  std::int64_t reduce(T& min_score) const {
    std::int64_t argmin = 0;
    min_score = T(__builtin_huge_val());
    for (int lane = 0; lane < lanes<T>; ++lane)
      if (score[lane] < min_score || (score[lane] == min_score && index[lane] < argmin))
        min_score = score[lane], argmin = index[lane];
    return argmin;
  }
};

// The sample y coordinate by coordinate, padded with points at infinity.
template <class In, class T>
struct Coordinates {
  const std::int64_t stride;
  Workspace<T> values;

  Coordinates(const In* y, std::int64_t m, std::int64_t d) : stride(round_up(m, lanes<T>)), values(stride * d) {
    for (std::int64_t k = 0; k < d; ++k)
      for (std::int64_t j = 0; j < stride; ++j)
        values[k * stride + j] = j < m ? T(widen(y[j * d + k])) : T(__builtin_huge_val());
  }

  // Nearest points of `rows` points of x at once, which share the loads of y.
  template <int rows>
  void nearest(const In* x, std::int64_t d, std::int64_t* index) const {
    LaneArgmin<T> argmin[rows];
    auto column = lane_numbers<T>();
    for (std::int64_t j = 0; j < stride; j += lanes<T>) {
      Vector<T> s[rows] = {};
      for (std::int64_t k = 0; k < d; ++k) {
        const Vector<T> other = load(values.data() + k * stride + j);
        for (int r = 0; r < rows; ++r) {
          const Vector<T> difference = T(widen(x[r * d + k])) - other;
          s[r] += difference * difference;
        }
      }
      for (int r = 0; r < rows; ++r) argmin[r].update(s[r], column);
      column += lanes<T>;
    }
    T min_score;
    for (int r = 0; r < rows; ++r) index[r] = argmin[r].reduce(min_score);
  }
};

// By tiles: ‖b‖² − 2a·b orders the points b by their distance to a.
template <class T>
void nearest_in_tiles(const PackedPoints<T>& z, std::int64_t a, Tile<T>& tile, std::int64_t* index) {
  constexpr int block = PackedPoints<T>::block;
  T min_scores[block];
  for (T& score : min_scores) score = T(__builtin_huge_val());
  for (std::int64_t b = z.x_blocks; b < z.blocks; ++b) {
    tile.select(a, b);
    tile.inner_products();
    const T* norms = z.norms.data() + b * block;
    for (int i = 0; i < z.count(a); ++i) {
      LaneArgmin<T> argmin;
      auto column = lane_numbers<T>();
      for (int j = 0; j < z.count(b); j += lanes<T>) {
        Vector<T> score = load(norms + j) - 2 * load(tile.row(i) + j);
        for (int k = z.count(b) - j; k < lanes<T>; ++k) score[k] = T(__builtin_huge_val());
        argmin.update(score, column);
        column += lanes<T>;
      }
      T score;
      const std::int64_t nearest = argmin.reduce(score);
      if (score < min_scores[i]) min_scores[i] = score, index[i] = (b - z.x_blocks) * block + nearest;
    }
  }
}

// Index of the first point of y with a NaN, or −1. All distances to it are NaN, so that it is nearest to all points.
template <class In>
std::int64_t first_nan(const In* y, std::int64_t m, std::int64_t d) {
  for (std::int64_t i = 0; i < m * d; ++i)
    if (widen(y[i]) != widen(y[i])) return i / d;
  return -1;
}

template <class In>
void nearest_by_differences(const In* x, const In* y, const NearestNeighbors& call, std::int64_t* index,
                            [[maybe_unused]] int threads) {
  constexpr std::int64_t rows = 4;
  const std::int64_t tail = round_down(call.n, rows), d = call.d;
  const Coordinates<In, Compute<In>> other(y, call.m, d);
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
  for (std::int64_t i = 0; i < tail; i += rows) other.template nearest<rows>(x + i * d, d, index + i);
  for (std::int64_t i = tail; i < call.n; ++i) other.template nearest<1>(x + i * d, d, index + i);
}

template <class In>
void nearest_by_inner_products(const In* x, const In* y, const NearestNeighbors& call, std::int64_t* index,
                               [[maybe_unused]] int threads) {
  PackedPoints<Compute<In>> z(call.n, call.m, call.d);
  z.pack(x, y, true);
#pragma omp parallel num_threads(threads) if (threads > 1)
  {
    Tile<Compute<In>> tile(z);
#pragma omp for schedule(static)
    for (std::int64_t a = 0; a < z.x_blocks; ++a) nearest_in_tiles(z, a, tile, index + a * z.block);
  }
}

template <class In>
void find_nearest(const NearestNeighbors& call) {
  constexpr std::int64_t max_difference_dim = 8;
  for_each_item(call.batch, call.threads, [&](std::int64_t item, int threads) {
    const In* x = static_cast<const In*>(call.x) + item * call.n * call.d;
    const In* y = static_cast<const In*>(call.y) + item * call.m * call.d;
    std::int64_t* index = call.index + item * call.n;
    const std::int64_t nan = first_nan(y, call.m, call.d);
    for (std::int64_t i = 0; i < call.n; ++i) index[i] = nan < 0 ? 0 : nan;
    if (nan >= 0) return;
    if (call.d <= max_difference_dim)
      nearest_by_differences(x, y, call, index, threads);
    else
      nearest_by_inner_products(x, y, call, index, threads);
  });
}

}  // namespace fastlatent::FASTLATENT_ISA
