// Schedule of all tiles of z = [x; y] over threads, and the gradient that they add up to.
//
// The blocks of points are divided into `parts`. A task is a pair of parts; in each round every part belongs to one
// task (the circle method of round-robin tournaments). A task starts when the tasks of earlier rounds on both its parts
// are complete. So threads never write to the same rows of the gradient, and the contributions to each row are added in
// the order of the rounds: the same bits for any number of threads. A barrier after each round instead would leave
// threads idle until the slowest one is complete.
#pragma once

#include <sched.h>

#include "pairwise/cpu/engine.hpp"
#include "pairwise/cpu/tile.hpp"

namespace fastlatent::FASTLATENT_ISA {

template <class T>
struct Gradient {
  Workspace<T> points;  // Σ_j w_ij z_j, (blocks·block, width)
  Workspace<T> sums;    // Σ_j w_ij
  const bool needs_x, needs_y;

  Gradient(const PackedPoints<T>& z, bool x, bool y)
      : points(x || y ? z.blocks * z.block * z.width : 0), sums(x || y ? z.blocks * z.block : 0), needs_x(x),
        needs_y(y) {
    if (!x && !y) return;
    __builtin_memset(points.data(), 0, z.blocks * z.block * z.width * sizeof(T));
    __builtin_memset(sums.data(), 0, z.blocks * z.block * sizeof(T));
  }

  bool needs(bool in_x) const { return in_x ? needs_x : needs_y; }

  // ∂/∂z_i = 2 Σ_j w_ij (z_i − z_j) for radial profiles, Σ_j w_ij z_j for profiles of the inner product
  template <class Out>
  void write(const PackedPoints<T>& z, bool inner, std::int64_t first_block, std::int64_t count, Out* out) const {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t row = first_block * z.block + i;
      const T* weighted = points.data() + row * z.width;
      const T* point = z.rows.data() + row * z.width;
      const T sum = sums[row];
      for (std::int64_t k = 0; k < z.d; ++k)
        out[i * z.d + k] = Out(inner ? weighted[k] : 2 * (sum * point[k] - weighted[k]));
    }
  }
};

template <class T, class Phi>
class TileSchedule {
 public:
  TileSchedule(const PairwiseSum& sum, const PackedPoints<T>& points, Gradient<T>& gradients)
      : call(sum), z(points), gradient(gradients), phi(sum.parameters, sum.parameter_count) {}

  double run(int threads) {
    const std::int64_t max_parts = z.blocks / 8 < 16 ? 16 : 64;
    parts = z.blocks < max_parts ? z.blocks + z.blocks % 2 : max_parts;
    off_diagonal_tasks = (parts - 1) * parts / 2;
    const std::int64_t tasks = off_diagonal_tasks + parts;
    Workspace<double> totals(tasks);
    Workspace<std::int64_t> completed_rounds(parts);
    for (std::int64_t part = 0; part < parts; ++part) completed_rounds[part] = 0;
    std::int64_t next = 0;
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
      Tile<T> tile(z);
      for (std::int64_t k; (k = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < tasks;) {
        const Task task = task_of(k);
        wait_for_round(&completed_rounds[task.a], task.round);
        wait_for_round(&completed_rounds[task.b], task.round);
        totals[k] = run_task(task, tile);
        for (const std::int64_t part : {task.a, task.b})
          __atomic_store_n(&completed_rounds[part], task.round + 1, __ATOMIC_RELEASE);
      }
    }
    double total = 0;
    for (std::int64_t k = 0; k < tasks; ++k) total += totals[k];
    return total;
  }

 private:
  // Ratio of the maximal squared distance to the scale of the profile above which small distances are computed from
  // differences of coordinates: the error of ‖a‖²+‖b‖²−2a·b is a rounding of the maximal distance.
  static constexpr double max_s_to_scale = 256;

  const PairwiseSum& call;
  const PackedPoints<T>& z;
  Gradient<T>& gradient;
  const Phi phi;
  std::int64_t parts = 0, off_diagonal_tasks = 0;

  struct Task {
    std::int64_t round, a, b;  // parts a ≤ b
  };

  // Rounds 0 … parts−2 each have parts/2 pairs of different parts; the last one pairs each part with itself.
  Task task_of(std::int64_t k) const {
    if (k >= off_diagonal_tasks) return {parts - 1, k - off_diagonal_tasks, k - off_diagonal_tasks};
    const std::int64_t round = k / (parts / 2), place = k % (parts / 2);
    const std::int64_t fixed = parts - 1;  // the other parts rotate
    const std::int64_t a = place == 0 ? fixed : (round + place) % fixed, b = (round + fixed - place) % fixed;
    return a < b ? Task{round, a, b} : Task{round, b, a};
  }

  static void wait_for_round(const std::int64_t* completed_rounds, std::int64_t round) {
    while (__atomic_load_n(completed_rounds, __ATOMIC_ACQUIRE) < round) sched_yield();
  }

  // noinline: inlined into the parallel region, the kernels run 25 % slower
  [[gnu::noinline]] double run_task(const Task& task, Tile<T>& tile) {
    const std::int64_t a = task.a, b = task.b;
    double total = 0;
    for (std::int64_t i = a * z.blocks / parts; i < (a + 1) * z.blocks / parts; ++i)
      for (std::int64_t j = b * z.blocks / parts; j < (b + 1) * z.blocks / parts; ++j)
        if (a != b || i <= j) total += run_tile(i, j, tile);
    return total;
  }

  double run_tile(std::int64_t i, std::int64_t j, Tile<T>& tile) {
    const bool same_sample = z.in_x(i) == z.in_x(j);
    const double pair_weight = !same_sample ? call.weight_xy : z.in_x(i) ? call.weight_xx : call.weight_yy;
    if (pair_weight == 0) return 0;
    const double weight = same_sample ? 2 * pair_weight : pair_weight;  // (i, j) and (j, i) are one pair of the tile
    const bool needs_rows = gradient.needs(z.in_x(i)), needs_columns = gradient.needs(z.in_x(j));
    tile.select(i, j);
    const double max_s = 2 * (double(z.max_norms[i]) + double(z.max_norms[j]));
    const bool slopes = needs_rows || needs_columns;
    const double sum = phi.choose(max_s, [&](const auto& form) {
      if (!Phi::inner && max_s > max_s_to_scale * phi.scale) {
        tile.distances();
        return slopes ? profile<true, true>(form, T(weight), tile) : profile<false, true>(form, T(weight), tile);
      }
      tile.inner_products();
      return slopes ? profile<true, false>(form, T(weight), tile) : profile<false, false>(form, T(weight), tile);
    });
    if (needs_rows) tile.add_row_gradient(gradient.points.data(), gradient.sums.data());
    if (needs_columns) tile.add_column_gradient(gradient.points.data(), gradient.sums.data());
    const bool add_diagonal = i == j && call.diagonal && !Phi::inner;
    return sum * weight + (add_diagonal ? pair_weight * double(z.count(i)) * phi0() : 0);
  }

  // The tile evaluates the pairs (i, i) only for profiles of the inner product. For radial profiles their value is φ(0)
  // and their gradient is zero.
  template <bool Slope, bool Distances, class Form>
  double profile(const Form& form, T weight, Tile<T>& tile) const {
    return tile.template profile<Slope, Distances>(form, weight, call.diagonal && Phi::inner ? T(1) : T(0));
  }

  double phi0() const {
    Vector<T> slope;
    return double(phi.value(Vector<T>{}, slope)[0]);
  }
};

}  // namespace fastlatent::FASTLATENT_ISA
