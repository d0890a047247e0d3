// Fréchet and Bures distances of one item of a batch, with their gradients.
//
// Each is computed in type T: float64, or float32 by iteration, which returns false if it does not converge.
#pragma once

#include "spectral/cpu/engine.hpp"
#include "spectral/cpu/matrix_root.hpp"
#include "spectral/cpu/sample.hpp"

namespace fastlatent::FASTLATENT_ISA {

// Tr(Σ₁Σ₂)^{1/2} as `trace` from the covariances.
template <class T, class Out>
bool cross_term_by_covariance(const Sample<T>& x, const Sample<T>& y, double eps, Out* gradient_x, Out* gradient_y,
                              double& trace) {
  const std::int64_t d = x.points.columns;
  Matrix<T> a(d, d), b(d, d), x_map(d, d), y_map(d, d);
  x.covariance(a, eps);
  y.covariance(b, eps);
  if (!cross_term(a, b, gradient_x ? &x_map : nullptr, gradient_y ? &y_map : nullptr, trace)) return false;
  if (gradient_x) {
    Matrix<T> transported(x.points.rows, d);
    matmul(transported, x.points, x_map);
    x.gradient(transported, 1, y.mean.data(), gradient_x);
  }
  if (gradient_y) {
    Matrix<T> transported(y.points.rows, d);
    matmul(transported, y.points, y_map);
    y.gradient(transported, 1, x.mean.data(), gradient_y);
  }
  return true;
}

// The same from M = XYᵀ, n ≥ m: its polar factor U = M(MᵀM)^{−1/2} transports X to UY and Y to UᵀX.
template <class Out>
double cross_term_by_gram(const Sample<double>& x, const Sample<double>& y, Out* gradient_x, Out* gradient_y) {
  const std::int64_t n = x.points.rows, m = y.points.rows, d = x.points.columns;
  if (n < m) return cross_term_by_gram(y, x, gradient_y, gradient_x);
  const bool needs_grad = gradient_x || gradient_y;
  const double ratio = __builtin_sqrt(double(n - 1)) / __builtin_sqrt(double(m - 1));
  Matrix<double> columns(d, m), inner_products(n, m), w(m, m), inverse(m, m), polar(n, m);
  columns.copy_transposed(y.points);
  matmul(inner_products, x.points, columns);
  matmul_symmetric(w, inner_products.transposed(), inner_products);
  double trace = 0;
  inverse_root_by_eigen(w, needs_grad ? &inverse : nullptr, trace);
  if (needs_grad) matmul(polar, inner_products, inverse);
  if (gradient_x) {
    Matrix<double> transported(n, d);
    matmul(transported, polar, y.points);
    x.gradient(transported, ratio, y.mean.data(), gradient_x);
  }
  if (gradient_y) {
    Matrix<double> transported(m, d);
    matmul(transported, polar.transposed(), x.points);
    y.gradient(transported, 1 / ratio, x.mean.data(), gradient_y);
  }
  return trace / (__builtin_sqrt(double(n - 1)) * __builtin_sqrt(double(m - 1)));
}

template <class T, class Out>
bool frechet_distance(const FrechetDistance& call, const Out* x_data, const Out* y_data, Out* gradient_x,
                      Out* gradient_y, Out* value) {
  const Sample<T> x(x_data, call.n, call.d), y(y_data, call.m, call.d);
  double root = 0;
  if constexpr (sizeof(T) == sizeof(double)) {
    if (call.gram) root = cross_term_by_gram(x, y, gradient_x, gradient_y);
  }
  if (!call.gram && !cross_term_by_covariance(x, y, call.eps, gradient_x, gradient_y, root)) return false;
  double shift = 0;
  for (std::int64_t k = 0; k < call.d; ++k) shift += (x.mean[k] - y.mean[k]) * (x.mean[k] - y.mean[k]);
  *value = Out(shift + x.trace + y.trace + 2 * double(call.d) * call.eps - 2 * root);
  return true;
}

template <class T, class Out>
bool frechet_distance_normal(const FrechetDistance& call, const Out* x_data, Out* gradient_x, Out* value) {
  const Sample<T> x(x_data, call.n, call.d);
  const std::int64_t size = call.gram ? call.n : call.d;
  Matrix<T> w(size, size), inverse(size, size);
  if (call.gram) {
    Matrix<T> columns(call.d, call.n);
    columns.copy_transposed(x.points);
    matmul_symmetric(w, x.points, columns);
    w.polynomial(T(1 / double(call.n - 1)), w, 0);
  } else {
    x.covariance(w, call.eps);
  }
  double root = 0;
  if (!inverse_root(w, gradient_x ? &inverse : nullptr, root)) return false;
  if (gradient_x) {
    Matrix<T> transported(call.n, call.d);
    call.gram ? matmul(transported, inverse, x.points) : matmul(transported, x.points, inverse);
    x.gradient(transported, 1, nullptr, gradient_x);
  }
  double shift = 0;
  for (std::int64_t k = 0; k < call.d; ++k) shift += x.mean[k] * x.mean[k];
  *value = Out(shift + x.trace + double(call.d) * (1 + call.eps) - 2 * root);
  return true;
}

template <class T, class In>
void read_symmetric(Matrix<T>& m, const In* data) {
  const std::int64_t d = m.rows;
  for (std::int64_t i = 0; i < d; ++i)
    for (std::int64_t j = 0; j < d; ++j) m.row(i)[j] = (T(data[i * d + j]) + T(data[j * d + i])) / 2;
}

template <class T, class Out>
void write_identity_minus(const Matrix<T>& m, Out* out) {
  for (std::int64_t i = 0; i < m.rows; ++i) {
    for (std::int64_t j = 0; j < m.columns; ++j) out[i * m.columns + j] = -Out(m.row(i)[j]);
    out[i * m.columns + i] += 1;
  }
}

template <class T, class Out>
bool bures_distance(std::int64_t d, const Out* a_data, const Out* b_data, Out* gradient_a, Out* gradient_b,
                    Out* value) {
  Matrix<T> a(d, d), b(d, d), a_map(d, d), b_map(d, d);
  read_symmetric(a, a_data);
  read_symmetric(b, b_data);
  const double traces = a.trace() + b.trace();
  double root = 0;
  if (!cross_term(a, b, gradient_a ? &a_map : nullptr, gradient_b ? &b_map : nullptr, root)) return false;
  if (gradient_a) write_identity_minus(a_map, gradient_a);
  if (gradient_b) write_identity_minus(b_map, gradient_b);
  *value = Out(traces - 2 * root);
  return true;
}

}  // namespace fastlatent::FASTLATENT_ISA
