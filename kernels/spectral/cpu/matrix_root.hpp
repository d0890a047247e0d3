// Square roots of matrices for the distances: the cross term Tr(AB)^{1/2} with its transport maps, and Tr W^{1/2} with
// W^{−1/2}. Matrices of float64 are decomposed, as in lapack.py. Matrices of float32 are iterated by their Cholesky
// factors, which never squares a condition number.
#pragma once

#include "spectral/cpu/eigen.hpp"
#include "spectral/cpu/polar.hpp"

namespace fastlatent::FASTLATENT_ISA {

// W = VS²Vᵀ for any condition number; Z ← VᵀZ, unless null.
struct EigenRoot {
  EigenSolver eigen;
  double trace = 0;

  EigenRoot(Matrix<double>& w, Matrix<double>* z) : eigen(w.rows) {
    eigen.decompose(w, z);
    for (std::int64_t i = 0; i < w.rows; ++i) {
      eigen.values[i] = __builtin_sqrt(eigen.values[i]);
      trace += eigen.values[i];
    }
  }

  // result = ZᵀS^{−power}Z, with 0 for singular directions
  void inverse(Matrix<double>& result, const Matrix<double>& z, int power) const {
    Workspace<double> factors(z.rows);
    for (std::int64_t i = 0; i < z.rows; ++i) {
      const double s = eigen.values[i];
      factors[i] = s == 0 ? 0 : power == 1 ? 1 / s : 1 / (s * s * s);
    }
    Matrix<double> scaled(z.rows, z.columns);
    scaled.scale_rows(z, factors.data());
    matmul_symmetric(result, scaled.transposed(), z);
  }
};

// The cross term Tr(AB)^{1/2} as `trace`, and the transport maps A⁻¹ # B and B⁻¹ # A, unless null. A and B are
// overwritten.
inline void couple_by_eigen(Matrix<double>& a, Matrix<double>& b, Matrix<double>* a_map, Matrix<double>* b_map,
                            double& trace) {
  const std::int64_t d = a.rows;
  Matrix<double> factor(d, d), factor_t(d, d), factor_a(d, d), w(d, d);
  cholesky(factor, b);
  factor_t.copy_transposed(factor);
  matmul_triangular(factor_a, factor, a);
  matmul_symmetric(w, factor_a, factor_t);
  const EigenRoot root(w, a_map || b_map ? &factor : nullptr);
  trace = root.trace;
  if (a_map) root.inverse(*a_map, factor, 1);
  if (b_map) {
    matmul(factor_a, factor, a);
    root.inverse(*b_map, factor_a, 3);
  }
}

// The same from A = RᵀR, B = QᵀQ and the polar factor U of RQᵀ: the maps are R⁻¹UQ and Q⁻¹UᵀR. Returns false without
// convergence.
inline bool couple_by_polar(Matrix<float>& a, Matrix<float>& b, Matrix<float>* a_map, Matrix<float>* b_map,
                            double& trace) {
  const std::int64_t d = a.rows;
  Matrix<float> r(d, d), q(d, d), q_t(d, d), u(d, d);
  if (!cholesky(r, a) || !cholesky(q, b)) return false;
  q_t.copy_transposed(q);
  matmul_triangular(u, r, q_t);
  if (!polar(u, trace)) return false;
  if (a_map) {
    matmul(*a_map, u, q);
    solve_triangular(r, *a_map);
  }
  if (b_map) {
    matmul(*b_map, u.transposed(), r);
    solve_triangular(q, *b_map);
  }
  return true;
}

// Tr W^{1/2} as `trace`, and W^{−1/2}, unless null. W is overwritten.
inline void inverse_root_by_eigen(Matrix<double>& w, Matrix<double>* inverse, double& trace) {
  Matrix<double> z(w.rows, w.rows);
  z.set_identity();
  const EigenRoot root(w, inverse ? &z : nullptr);
  trace = root.trace;
  if (inverse) root.inverse(*inverse, z, 1);
}

// The same from W = RᵀR and the polar factor U of R: R⁻¹U. Returns false without convergence.
inline bool inverse_root_by_polar(Matrix<float>& w, Matrix<float>* inverse, double& trace) {
  Matrix<float> r(w.rows, w.rows), u(w.rows, w.rows);
  if (!cholesky(r, w)) return false;
  u.polynomial(1, r, 0);
  if (!polar(u, trace)) return false;
  if (inverse) {
    inverse->polynomial(1, u, 0);
    solve_triangular(r, *inverse);
  }
  return true;
}

// The method is that of the type: eigendecomposition in float64, which always succeeds, polar iteration in float32.
template <class T>
inline bool cross_term(Matrix<T>& a, Matrix<T>& b, Matrix<T>* a_map, Matrix<T>* b_map, double& trace) {
  if constexpr (sizeof(T) == sizeof(float)) return couple_by_polar(a, b, a_map, b_map, trace);
  else return couple_by_eigen(a, b, a_map, b_map, trace), true;
}

template <class T>
inline bool inverse_root(Matrix<T>& w, Matrix<T>* inverse, double& trace) {
  if constexpr (sizeof(T) == sizeof(float)) return inverse_root_by_polar(w, inverse, trace);
  else return inverse_root_by_eigen(w, inverse, trace), true;
}

}  // namespace fastlatent::FASTLATENT_ISA
