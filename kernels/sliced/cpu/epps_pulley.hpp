// The sliced Epps–Pulley statistic: a block of directions at a time is projected, the empirical characteristic
// functions are summed, and their derivatives are backprojected.
//
// The points of the quadrature are equally spaced: one sine and cosine per projection, and a rotation from point to
// point. Sums are over chunks of rows and then over the chunks, for any number of threads.
#pragma once

#include "native/math.hpp"
#include "sliced/cpu/engine.hpp"
#include "sliced/cpu/projections.hpp"

namespace fastlatent::FASTLATENT_ISA {

template <class T>
class EppsPulley {
 public:
  explicit EppsPulley(const EppsPulleyStatistic& call)
      : call_(call), chunks_(chunk_count(call.n)), zero_first_(call.points[0] == 0),
        projected_(call.n * block_columns), projections_(call.d, 1),
        partial_(chunks_ * 2 * call.point_count * block_columns), slopes_(2 * call.point_count * block_columns) {
    __builtin_memset(slopes_.data(), 0, sizeof(T) * 2 * call.point_count * block_columns);
  }

  void run(const T* x, const T* directions, T* value, T* gradient) {
    if (gradient) __builtin_memset(gradient, 0, sizeof(T) * call_.n * call_.d);
    double total = 0;
#pragma omp parallel num_threads(call_.threads) if (call_.threads > 1)
    for (std::int64_t first = 0; first < call_.count; first += block_columns) {
#pragma omp single
      projections_.pack(directions + first * call_.d, call_.count - first, 0);
#pragma omp for
      for (std::int64_t chunk = 0; chunk < chunks_; ++chunk) sum_chunk(x, chunk);
#pragma omp single
      total += reduce_chunks(call_.count - first);
      if (!gradient) continue;
#pragma omp for
      for (std::int64_t chunk = 0; chunk < chunks_; ++chunk) backproject(gradient, chunk, call_.count - first);
    }
    *value = T(double(call_.n) * total / double(call_.count));
  }

 private:
  const EppsPulleyStatistic& call_;
  const std::int64_t chunks_;
  const bool zero_first_;  // t_0 = 0, where the characteristic functions of all samples are 1
  Workspace<T> projected_;
  Projections<T> projections_;
  Workspace<T> partial_;  // (chunks, points, (cosine, sine), columns): sums over the rows of a chunk
  Workspace<T> slopes_;   // (points, (cosine, sine), columns): derivatives with respect to the sums, times t

  std::int64_t rows_of(std::int64_t chunk) const { return min(chunk_rows, call_.n - chunk * chunk_rows); }

  // Cosine and sine of the angle t·v at t = h, 2h, ... or h/2, 3h/2, ... The rotation to the next point is computed as
  // the identity minus a correction, whose rounding error is small for small angles.
  struct Angle {
    Vector<T> cosine, sine, step_versine, step_sine;  // versine: 1 − cos
    Angle(Vector<T> v, T t, bool doubled) {
      sine_cosine<T>(v * t, sine, cosine);
      const auto acute = cosine > 0;
      step_versine = acute ? sine * sine / (acute ? 1 + cosine : 1 - cosine) : 1 - cosine;
      step_sine = sine;
      if (doubled) {
        step_sine = 2 * cosine * sine;
        step_versine = 2 * sine * sine;
      }
    }
    void advance() {
      const Vector<T> next = cosine - (step_versine * cosine + step_sine * sine);
      sine = sine - (step_versine * sine - step_sine * cosine);
      cosine = next;
    }
  };

  Angle angle(const T* v) const { return Angle(load(v), T(call_.points[zero_first_]), !zero_first_); }

  void sum_chunk(const T* x, std::int64_t chunk) {
    const std::int64_t rows = rows_of(chunk), size = 2 * call_.point_count * block_columns;
    T* v = projected_.data() + chunk * chunk_rows * block_columns;
    projections_.project(x + chunk * chunk_rows * call_.d, rows, 0, v);
    T* sums = partial_.data() + chunk * size;
    __builtin_memset(sums, 0, sizeof(T) * size);
    for (int c = 0; c < block_columns; c += lanes<T>)
      for (std::int64_t i = 0; i < rows; ++i) {
        Angle at = angle(v + i * block_columns + c);
        for (std::int64_t k = zero_first_; k < call_.point_count; ++k, at.advance()) {
          T* sum = sums + 2 * k * block_columns + c;
          store(sum, load(sum) + at.cosine);
          store(sum + block_columns, load(sum + block_columns) + at.sine);
        }
      }
  }

  // Adds up the chunks: returns the statistic of the block's columns, and sets its derivatives.
  double reduce_chunks(std::int64_t columns) {
    const std::int64_t size = 2 * call_.point_count * block_columns;
    const double n = double(call_.n);
    double total = 0;
    for (std::int64_t c = 0; c < block_columns && c < columns; ++c)
      for (std::int64_t k = zero_first_; k < call_.point_count; ++k) {
        double cosine = 0, sine = 0;
        const std::int64_t at = 2 * k * block_columns + c;
        for (std::int64_t chunk = 0; chunk < chunks_; ++chunk) {
          cosine += double(partial_[chunk * size + at]);
          sine += double(partial_[chunk * size + at + block_columns]);
        }
        const double t = call_.points[k], normal = __builtin_exp(-t * t / 2), weight = call_.weights[k] * normal;
        const double real = cosine / n - normal, imaginary = sine / n;
        total += weight * (real * real + imaginary * imaginary);
        slopes_[at] = T(2 * weight * t * real / double(call_.count));
        slopes_[at + block_columns] = T(2 * weight * t * imaginary / double(call_.count));
      }
    return total;
  }

  void backproject(T* gradient, std::int64_t chunk, std::int64_t columns) {
    const std::int64_t rows = rows_of(chunk);
    T* v = projected_.data() + chunk * chunk_rows * block_columns;
    for (int c = 0; c < block_columns; c += lanes<T>)
      for (std::int64_t i = 0; i < rows; ++i) {
        Angle at = angle(v + i * block_columns + c);
        Vector<T> slope{};
        for (std::int64_t k = zero_first_; k < call_.point_count; ++k, at.advance()) {
          const T* by = slopes_.data() + 2 * k * block_columns + c;
          slope += at.cosine * load(by + block_columns) - at.sine * load(by);
        }
        store(v + i * block_columns + c, slope);
      }
    projections_.backproject(v, rows, 0, columns, gradient + chunk * chunk_rows * call_.d);
  }
};

template <class T>
void epps_pulley_of_batch(const EppsPulleyStatistic& call) {
  EppsPulley<T> statistic(call);
  const std::int64_t x_size = call.n * call.d;
  for (std::int64_t i = 0; i < call.batch; ++i)
    statistic.run(static_cast<const T*>(call.x) + i * x_size,
                  static_cast<const T*>(call.projections) + (call.shared ? 0 : i * call.d * call.count),
                  static_cast<T*>(call.value) + i, offset_or_null(static_cast<T*>(call.gradient_x), i * x_size));
}

}  // namespace fastlatent::FASTLATENT_ISA
