// A centered sample, and the gradient of a distance with respect to its points.
#pragma once

#include "spectral/cpu/matrix.hpp"

namespace fastlatent::FASTLATENT_ISA {

// The points are stored in T; their mean and the trace of their covariance are summed in float64.
template <class T>
struct Sample {
  Matrix<T> points;
  Workspace<double> mean;
  double trace = 0;  // Tr Σ

  template <class In>
  Sample(const In* x, std::int64_t n, std::int64_t d) : points(n, d), mean(d) {
    Workspace<double> squares(d);
    for (std::int64_t k = 0; k < d; ++k) mean[k] = squares[k] = 0;
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t k = 0; k < d; ++k) mean[k] += double(x[i * d + k]);
    for (std::int64_t k = 0; k < d; ++k) mean[k] /= double(n);
    for (std::int64_t i = 0; i < n; ++i) {
      T* row = points.row(i);
      for (std::int64_t k = 0; k < d; ++k) {
        const double centered = double(x[i * d + k]) - mean[k];
        row[k] = T(centered);
        squares[k] += centered * centered;
      }
    }
    for (std::int64_t k = 0; k < d; ++k) trace += squares[k];
    trace /= double(n - 1);
  }

  void covariance(Matrix<T>& sigma, double eps) const {
    matmul_symmetric(sigma, points.transposed(), points);
    sigma.polynomial(T(1 / double(points.rows - 1)), sigma, T(eps));
  }

  // Gradient of ‖μ − other‖² + Tr Σ − 2 Tr(ΣΣ')^{1/2}; `transported`·`factor` are the points under the transport map.
  template <class Out>
  void gradient(const Matrix<T>& transported, double factor, const double* other, Out* out) const {
    const std::int64_t n = points.rows, d = points.columns;
    const T scale = T(2 / double(n - 1)), map_factor = T(factor);
    Workspace<T> shift(d);
    for (std::int64_t k = 0; k < d; ++k) shift[k] = T(2 / double(n) * (mean[k] - (other ? other[k] : 0)));
    for (std::int64_t i = 0; i < n; ++i) {
      const T *row = points.row(i), *image = transported.row(i), *offset = shift.data();
      for (std::int64_t k = 0; k < d; ++k) out[i * d + k] = Out(scale * (row[k] - map_factor * image[k]) + offset[k]);
    }
  }
};

}  // namespace fastlatent::FASTLATENT_ISA
