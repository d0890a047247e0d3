// Fréchet and Bures distances of small matrices with their gradients, one call for a batch.
#include "spectral/cpu.hpp"

#include "native/batch.hpp"
#include "spectral/root.hpp"
#include "spectral/sample.hpp"

namespace fastlatent::FASTLATENT_ISA {
namespace {

template <class T, class To>
bool pair_by_covariance(const Sample<T>& x, const Sample<T>& y, double eps, To* gradient_x, To* gradient_y,
                        double& trace) {
  const std::int64_t d = x.points.columns;
  Matrix<T> a(d, d), b(d, d), first(d, d), second(d, d);
  x.covariance(a, eps);
  y.covariance(b, eps);
  if (!couple(a, b, gradient_x ? &first : nullptr, gradient_y ? &second : nullptr, trace)) return false;
  if (gradient_x) {
    Matrix<T> moved(x.points.rows, d);
    multiply(moved, x.points, false, first);
    x.gradient(moved, 1, y.mean.data(), gradient_x);
  }
  if (gradient_y) {
    Matrix<T> moved(y.points.rows, d);
    multiply(moved, y.points, false, second);
    y.gradient(moved, 1, x.mean.data(), gradient_y);
  }
  return true;
}

// M = XYᵀ, n ≥ m: its polar factor U = M(MᵀM)^{−1/2} carries X to UY and Y to UᵀX.
template <class To>
double pair_by_gram(const Sample<double>& x, const Sample<double>& y, To* gradient_x, To* gradient_y) {
  const std::int64_t n = x.points.rows, m = y.points.rows, d = x.points.columns;
  if (n < m) return pair_by_gram(y, x, gradient_y, gradient_x);
  const double sizes = __builtin_sqrt(double(n - 1)) / __builtin_sqrt(double(m - 1));
  Matrix<double> columns(d, m), products(n, m), w(m, m), inverse(m, m), polar(n, m);
  columns.copy_transposed(y.points);
  multiply(products, x.points, false, columns);
  multiply_symmetric(w, products, true, products);
  double trace = 0;
  inverse_root(w, gradient_x || gradient_y ? &inverse : nullptr, trace);
  if (gradient_x || gradient_y) multiply(polar, products, false, inverse);
  if (gradient_x) {
    Matrix<double> moved(n, d);
    multiply(moved, polar, false, y.points);
    x.gradient(moved, sizes, y.mean.data(), gradient_x);
  }
  if (gradient_y) {
    Matrix<double> moved(m, d);
    multiply(moved, polar, true, x.points);
    y.gradient(moved, 1 / sizes, x.mean.data(), gradient_y);
  }
  return trace / (__builtin_sqrt(double(n - 1)) * __builtin_sqrt(double(m - 1)));
}

// In precision T; false if the root was not found.
template <class T, class To>
bool pair_distance(const FrechetCall& call, const To* from_x, const To* from_y, To* gradient_x, To* gradient_y,
                   To* value) {
  const Sample<T> x(from_x, call.n, call.d), y(from_y, call.m, call.d);
  double root = 0;
  if constexpr (sizeof(T) == sizeof(double)) {
    if (call.gram) root = pair_by_gram(x, y, gradient_x, gradient_y);
  }
  if (!call.gram && !pair_by_covariance(x, y, call.eps, gradient_x, gradient_y, root)) return false;
  double shift = 0;
  for (std::int64_t k = 0; k < call.d; ++k) shift += (x.mean[k] - y.mean[k]) * (x.mean[k] - y.mean[k]);
  *value = To(shift + x.mean_square + y.mean_square + 2 * double(call.d) * call.eps - 2 * root);
  return true;
}

template <class T, class To>
bool normal_distance(const FrechetCall& call, const To* from_x, To* gradient_x, To* value) {
  const Sample<T> x(from_x, call.n, call.d);
  const std::int64_t size = call.gram ? call.n : call.d;
  Matrix<T> w(size, size), inverse(size, size);
  if (call.gram) {
    Matrix<T> columns(call.d, call.n);
    columns.copy_transposed(x.points);
    multiply_symmetric(w, x.points, false, columns);
    w.polynomial(T(1 / double(call.n - 1)), w, 0);
  } else {
    x.covariance(w, call.eps);
  }
  double root = 0;
  if (!inverse_root(w, gradient_x ? &inverse : nullptr, root)) return false;
  if (gradient_x) {
    Matrix<T> moved(call.n, call.d);
    call.gram ? multiply(moved, inverse, false, x.points) : multiply(moved, x.points, false, inverse);
    x.gradient(moved, 1, nullptr, gradient_x);
  }
  double shift = 0;
  for (std::int64_t k = 0; k < call.d; ++k) shift += x.mean[k] * x.mean[k];
  *value = To(shift + x.mean_square + double(call.d) * (1 + call.eps) - 2 * root);
  return true;
}

template <class T, class From>
void read_symmetric(Matrix<T>& to, const From* from) {
  const std::int64_t d = to.rows;
  for (std::int64_t i = 0; i < d; ++i)
    for (std::int64_t j = 0; j < d; ++j) to.row(i)[j] = (T(from[i * d + j]) + T(from[j * d + i])) / 2;
}

template <class T, class To>
void write_identity_minus(const Matrix<T>& m, To* to) {
  for (std::int64_t i = 0; i < m.rows; ++i) {
    for (std::int64_t j = 0; j < m.columns; ++j) to[i * m.columns + j] = -To(m.row(i)[j]);
    to[i * m.columns + i] += 1;
  }
}

template <class T, class To>
bool bures_distance(std::int64_t d, const To* from_a, const To* from_b, To* gradient_a, To* gradient_b, To* value) {
  Matrix<T> a(d, d), b(d, d), first(d, d), second(d, d);
  read_symmetric(a, from_a);
  read_symmetric(b, from_b);
  const double traces = a.trace() + b.trace();
  double root = 0;
  if (!couple(a, b, gradient_a ? &first : nullptr, gradient_b ? &second : nullptr, root)) return false;
  if (gradient_a) write_identity_minus(first, gradient_a);
  if (gradient_b) write_identity_minus(second, gradient_b);
  *value = To(traces - 2 * root);
  return true;
}

// One problem after another, each on one thread.
template <class Each>
void over_problems(std::int64_t batch, int threads, const Each& each) {
  over_batch(batch, batch < threads ? int(batch) : threads, [&](std::int64_t item, int) { each(item); });
}

template <class T>
T* at(T* base, std::int64_t offset) { return base ? base + offset : nullptr; }

// In float32 by products where that was asked for and is good enough, else in float64.
template <class To>
void frechet_of(const FrechetCall& call) {
  const auto *all_x = static_cast<const To*>(call.x), *all_y = static_cast<const To*>(call.y);
  auto *all_gradient_x = static_cast<To*>(call.gradient_x), *all_gradient_y = static_cast<To*>(call.gradient_y);
  const std::int64_t of_x = call.n * call.d, of_y = call.m * call.d;
  over_problems(call.batch, call.threads, [&](std::int64_t i) {
    const To *x = all_x + i * of_x, *y = at(all_y, i * of_y);
    To *gradient_x = at(all_gradient_x, i * of_x), *gradient_y = at(all_gradient_y, i * of_y);
    To* value = static_cast<To*>(call.value) + i;
    if (y) {
      if (call.iterate && pair_distance<float>(call, x, y, gradient_x, gradient_y, value)) return;
      pair_distance<double>(call, x, y, gradient_x, gradient_y, value);
    } else {
      if (call.iterate && normal_distance<float>(call, x, gradient_x, value)) return;
      normal_distance<double>(call, x, gradient_x, value);
    }
  });
}

template <class To>
void bures_of(const BuresCall& call) {
  const auto *all_a = static_cast<const To*>(call.a), *all_b = static_cast<const To*>(call.b);
  auto *all_gradient_a = static_cast<To*>(call.gradient_a), *all_gradient_b = static_cast<To*>(call.gradient_b);
  const std::int64_t size = call.d * call.d;
  over_problems(call.batch, call.threads, [&](std::int64_t i) {
    const To *a = all_a + i * size, *b = all_b + i * size;
    To *gradient_a = at(all_gradient_a, i * size), *gradient_b = at(all_gradient_b, i * size);
    To* value = static_cast<To*>(call.value) + i;
    if (call.iterate && bures_distance<float>(call.d, a, b, gradient_a, gradient_b, value)) return;
    bures_distance<double>(call.d, a, b, gradient_a, gradient_b, value);
  });
}

void frechet(const FrechetCall& call) { call.float64 ? frechet_of<double>(call) : frechet_of<float>(call); }
void bures(const BuresCall& call) { call.float64 ? bures_of<double>(call) : bures_of<float>(call); }

}  // namespace

extern const SpectralKernels spectral{frechet, bures};

}  // namespace fastlatent::FASTLATENT_ISA
