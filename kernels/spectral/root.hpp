// W^{1/2} as the distances need it: its trace, and the products ZᵀW^{−p/2}Z. The type chooses the way: float64 is
// decomposed, float32 iterated.
#pragma once

#include "spectral/eigen.hpp"

namespace fastlatent::FASTLATENT_ISA {

template <class T>
struct Root;

// By eigendecomposition W = VS²Vᵀ, whatever the condition; Z becomes VᵀZ, if there is one.
template <>
struct Root<double> {
  static constexpr bool found = true;
  Eigen eigen;
  double trace = 0;

  Root(Matrix<double>& w, Matrix<double>* z) : eigen(w.rows) {
    eigen.decompose(w, z);
    for (std::int64_t i = 0; i < w.rows; ++i) {
      eigen.values[i] = __builtin_sqrt(eigen.values[i]);
      trace += eigen.values[i];
    }
  }

  // A⁻¹ # B and B⁻¹ # A for B = RᵀR, W = RARᵀ, from Z = VᵀR
  void first_map(Matrix<double>& result, const Matrix<double>& z) const { inverse(result, z, 1); }
  void second_map(Matrix<double>& result, const Matrix<double>& z, const Matrix<double>& a) const {
    Matrix<double> carried(a.rows, a.rows);
    multiply(carried, z, false, a);
    inverse(result, carried, 3);
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

// By the coupled Newton–Schulz iteration of newton_schulz.py, whose scaling starts from the condition to which float32
// is good enough; `found` says whether W was such. All iterates are polynomials in W: symmetric, so half the work.
template <>
struct Root<float> {
  static constexpr double least = 0.06;      // √(least/greatest eigenvalue of W) that the scaling counts with
  static constexpr double tolerance = 3e-4;  // ‖I − ZY‖_F/√d from where one step reaches rounding
  static constexpr int most_steps = 8;

  bool found = false;
  double trace = 0;
  Matrix<float> y, z;  // W^{1/2}, W^{−1/2}

  Root(const Matrix<float>& w, const Matrix<float>*) : y(w.rows, w.rows), z(w.rows, w.rows) {
    const std::int64_t d = w.rows;
    Matrix<float> product(d, d), step(d, d), old(d, d);
    multiply_symmetric(product, w, false, w);
    const double scale = __builtin_sqrt(__builtin_sqrt(inner(product, product)));  // (Σλ⁴)^{1/4}: no less than any λ
    if (!(scale > 1e-8 && scale < 1e8)) return;  // its square is out of range, or NaN
    double alpha, lower = least;
    advance(alpha, lower);  // the first step, from Y = W/scale and Z = I, needs no further product
    const double linear = 1.5 * alpha, cubic = alpha * alpha * alpha / 2;
    z.polynomial(-cubic / scale, w, linear);
    for (std::int64_t i = 0; i < d; ++i)
      for (std::int64_t j = 0; j < y.stride; ++j)
        y.row(i)[j] = linear / scale * w.row(i)[j] - cubic / (scale * scale) * product.row(i)[j];
    for (int steps = 1; steps < most_steps && !found; ++steps) {
      multiply_symmetric(product, z, false, y);
      found = distance_to_identity(product) <= tolerance;
      advance(alpha, lower);
      if (found) alpha = 1;
      step.polynomial(-alpha * alpha * alpha / 2, product, 1.5 * alpha);
      old.polynomial(1, z, 0);
      multiply_symmetric(z, step, false, old);
      old.polynomial(1, y, 0);
      multiply_symmetric(y, old, false, step);
    }
    y.polynomial(__builtin_sqrt(scale), y, 0);
    z.polynomial(1 / __builtin_sqrt(scale), z, 0);
    trace = y.trace();
  }

  // A⁻¹ # B and B⁻¹ # A for B = RᵀR, W = RARᵀ: RᵀW^{−1/2}R and its inverse
  void first_map(Matrix<float>& result, const Matrix<float>& r) const {
    Matrix<float> product(r.rows, r.rows);
    multiply(product, z, false, r);
    multiply_symmetric(result, product, true, r);
  }
  void second_map(Matrix<float>& result, const Matrix<float>& r, const Matrix<float>&) const {
    const std::int64_t d = r.rows;
    Matrix<float> inverse(d, d), transposed(d, d), product(d, d);
    invert_triangle(inverse, r);
    transposed.copy_transposed(inverse);
    multiply(product, inverse, false, y);
    multiply_symmetric(result, product, false, transposed);
  }

 private:
  // α of the next step, and what the least singular value becomes in it
  static void advance(double& alpha, double& lower) {
    alpha = __builtin_sqrt(3 / (1 + lower + lower * lower));
    lower = alpha * lower * (3 - alpha * lower * alpha * lower) / 2;
  }

  static double distance_to_identity(Matrix<float>& m) {
    double sum = inner(m, m) + double(m.rows) - 2 * m.trace();
    return __builtin_sqrt((sum > 0 ? sum : 0) / double(m.rows));
  }
};

// Tr W^{1/2}, and W^{−1/2} if there is room for it; false if it was not found. W may be overwritten.
inline bool inverse_root(Matrix<double>& w, Matrix<double>* to, double& trace) {
  Matrix<double> z(w.rows, w.rows);
  z.set_identity();
  const Root<double> root(w, to ? &z : nullptr);
  trace = root.trace;
  if (to) root.inverse(*to, z, 1);
  return true;
}

inline bool inverse_root(Matrix<float>& w, Matrix<float>* to, double& trace) {
  const Root<float> root(w, nullptr);
  trace = root.trace;
  if (to) to->polynomial(1, root.z, 0);
  return root.found;
}

}  // namespace fastlatent::FASTLATENT_ISA
