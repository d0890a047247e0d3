// The orthogonal polar factor of a small matrix by matmul only: odd polynomials that map its singular values to 1
// (Amsel, Persson, Musco & Gower 2025, "The Polar Express").
#pragma once

#include "spectral/cpu/matrix.hpp"

namespace fastlatent::FASTLATENT_ISA {

// aσ + bσ³ + cσ⁵
struct Quintic {
  double a, b, c;
};

// Each step is the best approximation of 1 on the image of the previous one, from [0.06, 1] on, with errors 0.61, 0.17
// and 0.003. A round of three steps multiplies smaller singular values by thirty; later rounds map them to 1.
inline constexpr Quintic round_of_steps[] = {
    {6.4844, -17.3037, 12.434}, {2.4137, -1.7686, 0.4296}, {1.9053, -1.2832, 0.3783}};
inline constexpr Quintic last_step = {1, 0.5, 0.375};  // U(I − E)^{−1/2} in powers of E = I − UᵀU
inline constexpr double near_orthogonal = 1e-2;  // ‖I − UᵀU‖_F/√d below which the last step reaches float32 rounding
inline constexpr int max_steps = 10;             // three rounds: condition numbers up to about 1e5

// M ← U for M = UH; `norm` = ‖M‖_* = Tr UᵀM. Returns false if M is too close to singular, or not finite.
inline bool polar(Matrix<float>& m, double& norm) {
  const std::int64_t d = m.rows;
  Matrix<float> unit(d, d), gram(d, d), square(d, d), other(d, d);
  const double frobenius = __builtin_sqrt(inner(m, m));
  if (!(frobenius > 1e-15 && frobenius < 1e15)) return false;  // squares overflow or underflow, or NaN
  unit.polynomial(float(1 / frobenius), m, 0);
  m.polynomial(1, unit, 0);
  Matrix<float>*u = &m, *next = &other;
  bool converged = false;
  for (int k = 0; k < max_steps && !converged; ++k) {
    matmul_symmetric(gram, u->transposed(), *u);
    const double distance = inner(gram, gram) + double(d) - 2 * gram.trace();
    converged = distance <= near_orthogonal * near_orthogonal * double(d);
    if (converged) gram.polynomial(-1, gram, 1);  // E itself: its square is within the rounding of I − E
    matmul_symmetric(square, gram, gram);
    const Quintic step = converged ? last_step : round_of_steps[k % 3];
    // a round needs singular values of at most 1: (Σσ⁸)^{1/8} bounds all of them, and a round leaves at most 1.003
    double scale = converged || k % 3 ? 1 : 0.99;
    if (k == 0 && !converged) scale /= __builtin_sqrt(__builtin_sqrt(__builtin_sqrt(inner(square, square))));
    const double square_scale = scale * scale;
    const float a = float(step.a * scale), b = float(step.b * scale * square_scale),
                c = float(step.c * scale * square_scale * square_scale);
    for (std::int64_t i = 0; i < d; ++i) {
      for (std::int64_t j = 0; j < gram.padded; ++j) gram.row(i)[j] = b * gram.row(i)[j] + c * square.row(i)[j];
      gram.row(i)[i] += a;
    }
    matmul(*next, *u, gram);
    Matrix<float>* const previous = u;
    u = next;
    next = previous;
  }
  if (u != &m) m.polynomial(1, *u, 0);
  norm = frobenius * inner(m, unit);
  return converged;
}

}  // namespace fastlatent::FASTLATENT_ISA
