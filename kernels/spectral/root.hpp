// Square roots as the distances need them: Tr W^{1/2}, and the maps that carry samples over. The type chooses the way:
// float64 is decomposed, as in analytic.py; float32 iterated, without ever squaring a condition number.
#pragma once

#include "spectral/eigen.hpp"
#include "spectral/polar.hpp"

namespace fastlatent::FASTLATENT_ISA {

// W = VS²Vᵀ, whatever the condition; Z becomes VᵀZ, if there is one.
struct Root {
  Eigen eigen;
  double trace = 0;

  Root(Matrix<double>& w, Matrix<double>* z) : eigen(w.rows) {
    eigen.decompose(w, z);
    for (std::int64_t i = 0; i < w.rows; ++i) {
      eigen.values[i] = __builtin_sqrt(eigen.values[i]);
      trace += eigen.values[i];
    }
  }

  // result = ZᵀS^{−power}Z, where singular directions count for nothing
  void inverse(Matrix<double>& result, const Matrix<double>& z, int power) const {
    Workspace<double> factors(z.rows);
    for (std::int64_t i = 0; i < z.rows; ++i) {
      const double s = eigen.values[i];
      factors[i] = s == 0 ? 0 : power == 1 ? 1 / s : 1 / (s * s * s);
    }
    Matrix<double> scaled(z.rows, z.columns);
    scaled.scale_rows(z, factors.data());
    multiply_symmetric(result, scaled, true, z);
  }
};

// Tr(AB)^{1/2}, and the maps A⁻¹ # B and B⁻¹ # A where there is room for them; false if not found. A and B are
// overwritten.
inline bool couple(Matrix<double>& a, Matrix<double>& b, Matrix<double>* first, Matrix<double>* second, double& trace) {
  const std::int64_t d = a.rows;
  Matrix<double> factor(d, d), transposed(d, d), carried(d, d), w(d, d);
  cholesky(factor, b);
  transposed.copy_transposed(factor);
  multiply_triangle(carried, factor, a);
  multiply_symmetric(w, carried, false, transposed);
  const Root root(w, first || second ? &factor : nullptr);
  trace = root.trace;
  if (first) root.inverse(*first, factor, 1);
  if (second) {
    multiply(carried, factor, false, a);
    root.inverse(*second, carried, 3);
  }
  return true;
}

// From A = RᵀR, B = QᵀQ and the polar factor U of RQᵀ: R⁻¹UQ and Q⁻¹UᵀR.
inline bool couple(Matrix<float>& a, Matrix<float>& b, Matrix<float>* first, Matrix<float>* second, double& trace) {
  const std::int64_t d = a.rows;
  Matrix<float> r(d, d), q(d, d), transposed(d, d), u(d, d);
  if (!cholesky(r, a) || !cholesky(q, b)) return false;
  transposed.copy_transposed(q);
  multiply_triangle(u, r, transposed);
  if (!polar(u, trace)) return false;
  if (first) {
    multiply(*first, u, false, q);
    solve_triangle(r, *first);
  }
  if (second) {
    multiply(*second, u, true, r);
    solve_triangle(q, *second);
  }
  return true;
}

// Tr W^{1/2}, and W^{−1/2} if there is room for it; false if not found. W is overwritten.
inline bool inverse_root(Matrix<double>& w, Matrix<double>* to, double& trace) {
  Matrix<double> z(w.rows, w.rows);
  z.set_identity();
  const Root root(w, to ? &z : nullptr);
  trace = root.trace;
  if (to) root.inverse(*to, z, 1);
  return true;
}

// From W = RᵀR and the polar factor U of R: R⁻¹U.
inline bool inverse_root(Matrix<float>& w, Matrix<float>* to, double& trace) {
  Matrix<float> r(w.rows, w.rows), u(w.rows, w.rows);
  if (!cholesky(r, w)) return false;
  u.polynomial(1, r, 0);
  if (!polar(u, trace)) return false;
  if (to) {
    to->polynomial(1, u, 0);
    solve_triangle(r, *to);
  }
  return true;
}

}  // namespace fastlatent::FASTLATENT_ISA
