// The walk over all tiles of z = [x; y], and the gradient that it collects.
//
// The blocks of points are cut into `parts`. A task is a pair of parts; in a round no two tasks share a part (the
// circle method that schedules tournaments), so that threads never write to the same rows of the gradient, and each
// row receives its contributions in the order of the rounds: the same bits for any number of threads.
#pragma once

#include "pairwise/cpu.hpp"
#include "pairwise/tile.hpp"

namespace fastlatent::FASTLATENT_ISA {

template <class T>
struct Gradient {
  Workspace<T> points;  // Σ_j w_ij z_j, (blocks·block, width)
  Workspace<T> sums;    // Σ_j w_ij
  bool of_x, of_y;

  Gradient(const Packed<T>& z, bool x, bool y)
      : points(x || y ? z.blocks * z.block * z.width : 0), sums(x || y ? z.blocks * z.block : 0), of_x(x), of_y(y) {
    if (!x && !y) return;
    __builtin_memset(points.data(), 0, z.blocks * z.block * z.width * sizeof(T));
    __builtin_memset(sums.data(), 0, z.blocks * z.block * sizeof(T));
  }

  bool of(bool in_x) const { return in_x ? of_x : of_y; }

  // radial: ∂/∂z_i = 2 Σ_j w_ij (z_i − z_j); of inner products: Σ_j w_ij z_j
  template <class Out>
  void write(const Packed<T>& z, bool inner, std::int64_t first_block, std::int64_t count, Out* to) const {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t row = first_block * z.block + i;
      const T* mine = points.data() + row * z.width;
      const T* point = z.rows.data() + row * z.width;
      const T sum = sums[row];
      for (std::int64_t k = 0; k < z.d; ++k) to[i * z.d + k] = Out(inner ? mine[k] : 2 * (sum * point[k] - mine[k]));
    }
  }
};

template <class T, class Phi>
class Walk {
 public:
  Walk(const PairwiseForm& form, const Packed<T>& points, Gradient<T>& gradients)
      : f(form), z(points), gradient(gradients), phi(form.parameters, form.parameter_count) {}

  double run(int threads) {
    const std::int64_t most = z.blocks / 8 < 16 ? 16 : 64;
    parts = z.blocks < most ? z.blocks + z.blocks % 2 : most;
    Workspace<double> totals(parts * (parts + 1) / 2 + parts);
    const std::int64_t per_round = parts / 2;
    if (threads > 1) {
#pragma omp parallel num_threads(threads)
      {
        Workspace<Tile<T>> tile(1);
        clear(tile[0]);
        for (std::int64_t round = 0; round < parts; ++round) {
#pragma omp for schedule(dynamic, 1)
          for (std::int64_t task = 0; task < tasks(round); ++task)
            totals[round * per_round + task] = run_task(round, task, tile[0]);
        }
      }
    } else {
      Workspace<Tile<T>> tile(1);
      clear(tile[0]);
      for (std::int64_t round = 0; round < parts; ++round)
        for (std::int64_t task = 0; task < tasks(round); ++task)
          totals[round * per_round + task] = run_task(round, task, tile[0]);
    }
    double total = 0;
    for (std::int64_t round = 0; round < parts; ++round)
      for (std::int64_t task = 0; task < tasks(round); ++task) total += totals[round * per_round + task];
    return total;
  }

 private:
  const PairwiseForm& f;
  const Packed<T>& z;
  Gradient<T>& gradient;
  const Phi phi;
  std::int64_t parts = 0;

  static void clear(Tile<T>& tile) { __builtin_memset(&tile, 0, sizeof tile); }

  // Rounds 0 … parts−2 hold parts/2 pairs of different parts each; the last holds the parts with themselves.
  std::int64_t tasks(std::int64_t round) const { return round < parts - 1 ? parts / 2 : parts; }

  double run_task(std::int64_t round, std::int64_t task, Tile<T>& tile) {
    std::int64_t a = task, b = task;
    if (round < parts - 1) {  // part parts−1 stays, the others turn around the circle
      const std::int64_t circle = parts - 1;
      a = task == 0 ? circle : (round + task) % circle;
      b = (round + circle - task) % circle;
      if (a > b) {
        const std::int64_t c = a;
        a = b, b = c;
      }
    }
    double total = 0;
    for (std::int64_t i = a * z.blocks / parts; i < (a + 1) * z.blocks / parts; ++i)
      for (std::int64_t j = b * z.blocks / parts; j < (b + 1) * z.blocks / parts; ++j)
        if (a != b || i <= j) total += run_tile(i, j, tile);
    return total;
  }

  double run_tile(std::int64_t i, std::int64_t j, Tile<T>& tile) {
    const bool same = z.in_x(i) == z.in_x(j);
    const double weight = !same ? f.weight_xy : z.in_x(i) ? f.weight_xx : f.weight_yy;
    if (weight == 0) return 0;
    const bool rows = gradient.of(z.in_x(i)), columns = i != j && gradient.of(z.in_x(j));
    // within a cloud each unordered pair stands for two
    const T slope_weight = T(same ? 2 * weight : weight);
    if constexpr (Phi::exact_near_zero)
      tile.distances(z, i, j);
    else
      tile.products(z, i, j);
    const double reach = 2 * (double(z.greatest[i]) + double(z.greatest[j]));
    const double sum = phi.choose(
        reach, [&](const auto& form) { return profile(form, rows || columns, i, j, slope_weight, tile); });
    if (rows) tile.gradient_of_rows(z, i, j, gradient.points.data(), gradient.sums.data());
    if (columns) tile.gradient_of_columns(z, i, j, gradient.points.data(), gradient.sums.data());
    return sum * (same && i != j ? 2 * weight : weight);
  }

  template <class Form>
  double profile(const Form& form, bool slopes, std::int64_t i, std::int64_t j, T weight, Tile<T>& tile) {
    // a point and itself: of radial profiles the value is known and the slope moves nothing; inner products are pairs
    // like any other where they count at all
    if (i == j && !(Form::inner && f.diagonal)) {
      Vector<T> slope;
      const T of_itself = f.diagonal ? form.value(Vector<T>{}, slope)[0] : T(0);
      return slopes ? tile.template profile<true, true>(form, z, i, j, weight, of_itself)
                    : tile.template profile<false, true>(form, z, i, j, weight, of_itself);
    }
    return slopes ? tile.template profile<true, false>(form, z, i, j, weight, 0)
                  : tile.template profile<false, false>(form, z, i, j, weight, 0);
  }
};

}  // namespace fastlatent::FASTLATENT_ISA
