// Sine and cosine of whole registers, to a few units in the last place for moderate arguments.
#pragma once

#include "native/vector.hpp"

namespace fastlatent::FASTLATENT_ISA {

template <class T>
struct Trigonometry;

// π/2 in three parts, so that multiples below 2¹⁶ (2³⁰ in double) are taken off without loss; 1.5·2^mantissa rounds.
template <>
struct Trigonometry<float> {
  using Integer = std::int32_t;
  static constexpr float magic = 12582912.0f, largest = 65536.0f;
  static constexpr float high = 1.5703125f, middle = 4.837512969970703125e-4f, low = 7.549789948768648e-8f;
  static constexpr int terms = 5;  // of each Taylor polynomial on |r| ≤ π/4
};
template <>
struct Trigonometry<double> {
  using Integer = std::int64_t;
  static constexpr double magic = 6755399441055744.0, largest = 1073741824.0;
  static constexpr double high = 1.57079625129699707031, middle = 7.54978941586159635335e-8,
                          low = 5.39030285815811905290e-15;
  static constexpr int terms = 9;
};

// Arguments that are too large for the reduction, infinite or NaN go one by one to the C library.
template <class T>
inline void sine_cosine_exactly(Vector<T> x, Vector<T>& sine, Vector<T>& cosine) {
  for (int i = 0; i < lanes<T>; ++i) {
    sine[i] = T(__builtin_sin(double(x[i])));
    cosine[i] = T(__builtin_cos(double(x[i])));
  }
}

template <class T>
inline void sine_cosine(Vector<T> x, Vector<T>& sine, Vector<T>& cosine) {
  using F = Trigonometry<T>;
  using Integers = typename VectorType<typename F::Integer>::type;
  const Integers small = (x < F::largest) & (x > -F::largest);
  typename F::Integer all = -1;
  for (int i = 0; i < lanes<T>; ++i) all &= small[i];
  if (!all) return sine_cosine_exactly<T>(x, sine, cosine);
  const Vector<T> shifted = x * T(0.63661977236758134308) + F::magic;
  const Vector<T> quarter_turns = shifted - F::magic;
  const Integers quadrant = (Integers)shifted;
  const Vector<T> r = ((x - quarter_turns * F::high) - quarter_turns * F::middle) - quarter_turns * F::low;
  const Vector<T> square = r * r;
  Vector<T> s{}, c{};
  for (int k = F::terms; k >= 1; --k) {  // sin r = r + r Σ, cos r = 1 + Σ, from the last Taylor term inwards
    s = (s + 1) * square * T(-1.0 / (2 * k * (2 * k + 1)));
    c = (c + 1) * square * T(-1.0 / ((2 * k - 1) * (2 * k)));
  }
  s = r + r * s;
  c = c + 1;
  const Integers swapped = (quadrant & 1) != 0;
  const Vector<T> a = swapped ? c : s, b = swapped ? s : c;
  sine = (quadrant & 2) != 0 ? -a : a;
  cosine = ((quadrant + 1) & 2) != 0 ? -b : b;
}

}  // namespace fastlatent::FASTLATENT_ISA
