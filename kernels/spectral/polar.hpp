// The orthogonal polar factor of a small matrix, by products alone: odd polynomials that take its singular values to 1
// (Amsel, Persson, Musco & Gower 2025, "The Polar Express").
#pragma once

#include "spectral/matrix.hpp"

namespace fastlatent::FASTLATENT_ISA {

// aσ + bσ³ + cσ⁵
struct Quintic {
  double a, b, c;
};

// Each is the best approximation of 1 on the interval that the one before leaves, beginning with [0.06, 1]: within
// 0.61, 0.17 and 0.003. Smaller singular values grow thirtyfold in a round of three; further rounds see to them.
inline constexpr Quintic round_of_steps[] = {
    {6.4844, -17.3037, 12.434}, {2.4137, -1.7686, 0.4296}, {1.9053, -1.2832, 0.3783}};
inline constexpr Quintic last_step = {1, 0.5, 0.375};  // U(I − E)^{−1/2} in powers of E = I − UᵀU
inline constexpr double near_orthogonal = 1e-2;  // ‖I − UᵀU‖_F/√d from where the last step reaches float32's rounding
inline constexpr int most_steps = 10;            // three rounds: condition numbers up to 1e5 or so

// M becomes U of M = UH; `norm` is ‖M‖_* = Tr UᵀM. False if M is too close to singular, or not finite.
inline bool polar(Matrix<float>& m, double& norm) {
  const std::int64_t d = m.rows;
  Matrix<float> unit(d, d), gram(d, d), square(d, d), other(d, d);
  const double size = __builtin_sqrt(inner(m, m));
  if (!(size > 1e-15 && size < 1e15)) return false;  // squares are out of range, or NaN
  unit.polynomial(float(1 / size), m, 0);
  m.polynomial(1, unit, 0);
  Matrix<float>*u = &m, *next = &other;
  bool found = false;
  for (int k = 0; k < most_steps && !found; ++k) {
    multiply_symmetric(gram, *u, true, *u);
    const double distance = inner(gram, gram) + double(d) - 2 * gram.trace();
    found = distance <= near_orthogonal * near_orthogonal * double(d);
    if (found) gram.polynomial(-1, gram, 1);  // beside 1, squares as small as E's would be lost
    multiply_symmetric(square, gram, false, gram);
    const Quintic step = found ? last_step : round_of_steps[k % 3];
    // no singular value may be beyond 1 where a round begins: (Σσ⁸)^{1/8} is no less than any, and 1.003 is what a
    // round leaves
    double by = found || k % 3 ? 1 : 0.99;
    if (k == 0 && !found) by /= __builtin_sqrt(__builtin_sqrt(__builtin_sqrt(inner(square, square))));
    const double by2 = by * by;
    const float a = float(step.a * by), b = float(step.b * by * by2), c = float(step.c * by * by2 * by2);
    for (std::int64_t i = 0; i < d; ++i) {
      for (std::int64_t j = 0; j < gram.padded; ++j) gram.row(i)[j] = b * gram.row(i)[j] + c * square.row(i)[j];
      gram.row(i)[i] += a;
    }
    multiply(*next, *u, false, gram);
    Matrix<float>* const before = u;
    u = next;
    next = before;
  }
  if (u != &m) m.polynomial(1, *u, 0);
  norm = size * inner(m, unit);
  return found;
}

}  // namespace fastlatent::FASTLATENT_ISA
