// The walk over all tiles of z = [x; y], and the gradient that it collects.
//
// The blocks of points are cut into `parts`. A task is a pair of parts; in a round every part has one task (the circle
// method that schedules tournaments). A task waits until both its parts are done with the rounds before, so threads
// never write to the same rows of the gradient, and each row receives its contributions in the order of the rounds:
// the same bits for any number of threads. A barrier after each round would make all wait for the slowest.
#pragma once

#include <sched.h>

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
    pairs_of_parts = (parts - 1) * parts / 2;
    const std::int64_t tasks = pairs_of_parts + parts;
    Workspace<double> totals(tasks);
    Workspace<std::int64_t> rounds_done(parts);
    for (std::int64_t part = 0; part < parts; ++part) rounds_done[part] = 0;
    std::int64_t next = 0;
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
      Tile<T> tile(z);
      for (std::int64_t k; (k = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < tasks;) {
        const Task task = task_of(k);
        wait(&rounds_done[task.a], task.round), wait(&rounds_done[task.b], task.round);
        totals[k] = run_task(task, tile);
        for (const std::int64_t part : {task.a, task.b})
          __atomic_store_n(&rounds_done[part], task.round + 1, __ATOMIC_RELEASE);
      }
    }
    double total = 0;
    for (std::int64_t k = 0; k < tasks; ++k) total += totals[k];
    return total;
  }

 private:
  const PairwiseForm& f;
  const Packed<T>& z;
  Gradient<T>& gradient;
  const Phi phi;
  // ‖a‖²+‖b‖²−2a·b errs by a rounding of the largest distance. Where that is so many times the scale of the profile,
  // small distances are taken from differences of coordinates.
  static constexpr double exact_beyond = 256;
  std::int64_t parts = 0, pairs_of_parts = 0;

  struct Task {
    std::int64_t round, a, b;  // parts a ≤ b
  };

  // Rounds 0 … parts−2 hold parts/2 pairs of different parts each; the last holds the parts with themselves.
  Task task_of(std::int64_t k) const {
    if (k >= pairs_of_parts) return {parts - 1, k - pairs_of_parts, k - pairs_of_parts};
    const std::int64_t round = k / (parts / 2), place = k % (parts / 2);
    const std::int64_t circle = parts - 1;  // this part stays, the others turn around the circle
    const std::int64_t a = place == 0 ? circle : (round + place) % circle, b = (round + circle - place) % circle;
    return a < b ? Task{round, a, b} : Task{round, b, a};
  }

  static void wait(const std::int64_t* rounds_done, std::int64_t round) {
    while (__atomic_load_n(rounds_done, __ATOMIC_ACQUIRE) < round) sched_yield();
  }

  // noinline: within the parallel region its kernels are compiled to code that is a quarter slower
  [[gnu::noinline]] double run_task(const Task& task, Tile<T>& tile) {
    const std::int64_t a = task.a, b = task.b;
    double total = 0;
    for (std::int64_t i = a * z.blocks / parts; i < (a + 1) * z.blocks / parts; ++i)
      for (std::int64_t j = b * z.blocks / parts; j < (b + 1) * z.blocks / parts; ++j)
        if (a != b || i <= j) total += run_tile(i, j, tile);
    return total;
  }

  double run_tile(std::int64_t i, std::int64_t j, Tile<T>& tile) {
    const bool same = z.in_x(i) == z.in_x(j);
    const double once = !same ? f.weight_xy : z.in_x(i) ? f.weight_xx : f.weight_yy;
    if (once == 0) return 0;
    const double weight = same ? 2 * once : once;  // within a cloud an unordered pair stands for two
    const bool rows = gradient.of(z.in_x(i)), columns = gradient.of(z.in_x(j));
    tile.at(i, j);
    const double reach = 2 * (double(z.greatest[i]) + double(z.greatest[j]));
    const bool slopes = rows || columns;
    const double sum = phi.choose(reach, [&](const auto& form) {
      if (!Phi::inner && reach > exact_beyond * phi.scale) {
        tile.distances();
        return slopes ? profile<true, true>(form, T(weight), tile) : profile<false, true>(form, T(weight), tile);
      }
      tile.products();
      return slopes ? profile<true, false>(form, T(weight), tile) : profile<false, false>(form, T(weight), tile);
    });
    if (rows) tile.gradient_of_rows(gradient.points.data(), gradient.sums.data());
    if (columns) tile.gradient_of_columns(gradient.points.data(), gradient.sums.data());
    const bool diagonal = i == j && f.diagonal && !Phi::inner;
    return sum * weight + (diagonal ? once * double(z.count(i)) * of_distance_zero() : 0);
  }

  template <bool Slope, bool Distances, class Form>
  double profile(const Form& form, T weight, Tile<T>& tile) const {
    // a point with itself: inner products are pairs like any other; of radial profiles the value is known, and the
    // slope moves nothing
    return tile.template profile<Slope, Distances>(form, weight, f.diagonal && Phi::inner ? T(1) : T(0));
  }

  double of_distance_zero() const {
    Vector<T> slope;
    return double(phi.value(Vector<T>{}, slope)[0]);
  }
};

}  // namespace fastlatent::FASTLATENT_ISA
