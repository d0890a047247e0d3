// A sample with its mean taken off, and the gradient of a distance to it.
#pragma once

#include "spectral/matrix.hpp"

namespace fastlatent::FASTLATENT_ISA {

// Points are kept in T; their mean and the trace of their covariance are summed in float64.
template <class T>
struct Sample {
  Matrix<T> points;
  Workspace<double> mean;
  double mean_square = 0;  // Tr Σ

  template <class From>
  Sample(const From* x, std::int64_t n, std::int64_t d) : points(n, d), mean(d) {
    Workspace<double> squares(d);
    for (std::int64_t k = 0; k < d; ++k) mean[k] = squares[k] = 0;
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t k = 0; k < d; ++k) mean[k] += double(x[i * d + k]);
    for (std::int64_t k = 0; k < d; ++k) mean[k] /= double(n);
    for (std::int64_t i = 0; i < n; ++i) {
      T* row = points.row(i);
      for (std::int64_t k = 0; k < d; ++k) {
        const double centred = double(x[i * d + k]) - mean[k];
        row[k] = T(centred);
        squares[k] += centred * centred;
      }
    }
    for (std::int64_t k = 0; k < d; ++k) mean_square += squares[k];
    mean_square /= double(n - 1);
  }

  void covariance(Matrix<T>& to, double eps) const {
    multiply_symmetric(to, points, true, points);
    to.polynomial(T(1 / double(points.rows - 1)), to, T(eps));
  }

  // Gradient of ‖μ − other‖² + Tr Σ − 2 Tr(ΣΣ')^{1/2}, from what its map makes of the points, times `spread`.
  template <class To>
  void gradient(const Matrix<T>& moved, double spread, const double* other, To* to) const {
    const std::int64_t n = points.rows, d = points.columns;
    const T scale = T(2 / double(n - 1)), of_moved = T(spread);
    Workspace<T> shift(d);
    for (std::int64_t k = 0; k < d; ++k) shift[k] = T(2 / double(n) * (mean[k] - (other ? other[k] : 0)));
    for (std::int64_t i = 0; i < n; ++i) {
      const T *row = points.row(i), *goes = moved.row(i), *by = shift.data();
      for (std::int64_t k = 0; k < d; ++k) to[i * d + k] = To(scale * (row[k] - of_moved * goes[k]) + by[k]);
    }
  }
};

}  // namespace fastlatent::FASTLATENT_ISA
