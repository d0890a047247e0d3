// Elementary functions of whole registers, accurate to a few units in the last place.
#pragma once

#include "native/vector.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fastlatent::FASTLATENT_ISA {

// Constants of a floating-point type.
template <class T>
struct FloatFormat;

template <>
struct FloatFormat<float> {
  static constexpr int mantissa = 23;
  static constexpr float magic = 12582912.0f;  // 1.5·2²³: adding it rounds to an integer in the low bits
  static constexpr float ln2_high = 0.693145751953125f, ln2_low = 1.428606765330187e-06f;
  static constexpr float min_exponent = -87.0f;  // exp of less is 0
  // π/2 in three parts: multiples of at most `max_angle` are subtracted without rounding error
  static constexpr float max_angle = 65536.0f;
  static constexpr float half_pi_high = 1.5703125f, half_pi_middle = 4.837512969970703125e-4f,
                         half_pi_low = 7.549789948768648e-8f;
  static constexpr int exp_terms = 7, log_terms = 5, sine_terms = 5;
};

template <>
struct FloatFormat<double> {
  static constexpr int mantissa = 52;
  static constexpr double magic = 6755399441055744.0;  // 1.5·2⁵²
  static constexpr double ln2_high = 0.6931471803691238, ln2_low = 1.9082149292705877e-10;
  static constexpr double min_exponent = -708.0;
  static constexpr double max_angle = 1073741824.0;
  static constexpr double half_pi_high = 1.57079625129699707031, half_pi_middle = 7.54978941586159635335e-8,
                          half_pi_low = 5.39030285815811905290e-15;
  static constexpr int exp_terms = 13, log_terms = 11, sine_terms = 9;
};

inline Vector<float> square_root(Vector<float> v) {
#if defined(__AVX512F__)
  return Vector<float>(_mm512_sqrt_ps(__m512(v)));
#elif defined(__AVX2__)
  return Vector<float>(_mm256_sqrt_ps(__m256(v)));
#elif defined(__x86_64__)
  return Vector<float>(_mm_sqrt_ps(__m128(v)));
#else
  for (int i = 0; i < lanes<float>; ++i) v[i] = __builtin_sqrtf(v[i]);
  return v;
#endif
}

inline Vector<double> square_root(Vector<double> v) {
#if defined(__AVX512F__)
  return Vector<double>(_mm512_sqrt_pd(__m512d(v)));
#elif defined(__AVX2__)
  return Vector<double>(_mm256_sqrt_pd(__m256d(v)));
#elif defined(__x86_64__)
  return Vector<double>(_mm_sqrt_pd(__m128d(v)));
#else
  for (int i = 0; i < lanes<double>; ++i) v[i] = __builtin_sqrt(v[i]);
  return v;
#endif
}

// 1/√v for v > 0. AVX-512 approximates it to 14 bits; one Newton step doubles them, beyond float32's 24.
template <class T>
inline Vector<T> inverse_square_root(Vector<T> v) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    const Vector<float> estimate = Vector<float>(_mm512_rsqrt14_ps(__m512(v)));
    return estimate + estimate * (T(0.5) - T(0.5) * v * estimate * estimate);
  }
#endif
  return T(1) / square_root(v);
}

// exp(x) for x ≤ 0: 2^k·exp(r) with |r| ≤ ln2/2, and the Taylor polynomial of exp(r).
template <class T>
inline Vector<T> exp_of_negative(Vector<T> x) {
  using F = FloatFormat<T>;
  const auto underflow = x < F::min_exponent;
  const Vector<T> shifted = x * T(1.4426950408889634) + F::magic;
  const Vector<T> k = shifted - F::magic;
  const Vector<T> r = (x - k * F::ln2_high) - k * F::ln2_low;
  T reciprocal_factorial[F::exp_terms + 1] = {1};
  for (int i = 1; i <= F::exp_terms; ++i) reciprocal_factorial[i] = reciprocal_factorial[i - 1] / T(i);
  Vector<T> sum = splat(reciprocal_factorial[F::exp_terms]);
  for (int i = F::exp_terms - 1; i >= 0; --i) sum = sum * r + reciprocal_factorial[i];
  const Vector<T> power = (Vector<T>)((Integers<T>(shifted) << F::mantissa) + Integers<T>(splat(T(1))));
  return underflow ? Vector<T>{} : sum * power;
}

// log(u) for u ≥ 1, NaN for NaN: k·ln2 + 2·atanh((m−1)/(m+1)) with m in [√½, √2).
template <class T>
inline Vector<T> log_of_large(Vector<T> u) {
  using F = FloatFormat<T>;
  const Integers<T> half = Integers<T>(splat(T(0.70710678118654752)));
  const Integers<T> k = (Integers<T>(u) - half) >> F::mantissa;
  const Vector<T> m = (Vector<T>)(Integers<T>(u) - (k << F::mantissa));
  // the small integer k as a float, through the low bits of the magic number
  const Vector<T> exponent = (Vector<T>)(k + Integers<T>(splat(F::magic))) - F::magic;
  const Vector<T> f = (m - 1) / (m + 1);
  const Vector<T> square = f * f;
  Vector<T> sum = splat(T(1) / T(2 * F::log_terms + 1));
  for (int i = F::log_terms - 1; i >= 0; --i) sum = sum * square + T(1) / T(2 * i + 1);
  return u == u ? (exponent * F::ln2_low + 2 * f * sum) + exponent * F::ln2_high : u;
}

// By the C library, lane by lane, for arguments beyond the range reduction, infinite ones and NaN.
template <class T>
inline void sine_cosine_by_lane(Vector<T> x, Vector<T>& sine, Vector<T>& cosine) {
  for (int i = 0; i < lanes<T>; ++i) {
    sine[i] = T(__builtin_sin(double(x[i])));
    cosine[i] = T(__builtin_cos(double(x[i])));
  }
}

// sin(x) and cos(x): x = k·π/2 + r with |r| ≤ π/4, and the Taylor polynomials of r.
template <class T>
inline void sine_cosine(Vector<T> x, Vector<T>& sine, Vector<T>& cosine) {
  using F = FloatFormat<T>;
  const Integers<T> reducible = (x < F::max_angle) & (x > -F::max_angle);
  Integer<T> all = -1;
  for (int i = 0; i < lanes<T>; ++i) all &= reducible[i];
  if (!all) return sine_cosine_by_lane<T>(x, sine, cosine);
  const Vector<T> shifted = x * T(0.63661977236758134308) + F::magic;
  const Vector<T> k = shifted - F::magic;
  const Integers<T> quadrant = (Integers<T>)shifted;
  const Vector<T> r = ((x - k * F::half_pi_high) - k * F::half_pi_middle) - k * F::half_pi_low;
  const Vector<T> square = r * r;
  Vector<T> s{}, c{};
  for (int i = F::sine_terms; i >= 1; --i) {  // sin r = r + r·s, cos r = 1 + c, from the highest term down
    s = (s + 1) * square * T(-1.0 / (2 * i * (2 * i + 1)));
    c = (c + 1) * square * T(-1.0 / ((2 * i - 1) * (2 * i)));
  }
  s = r + r * s;
  c = c + 1;
  const Integers<T> swapped = (quadrant & 1) != 0;
  const Vector<T> a = swapped ? c : s, b = swapped ? s : c;
  sine = (quadrant & 2) != 0 ? -a : a;
  cosine = ((quadrant + 1) & 2) != 0 ? -b : b;
}

}  // namespace fastlatent::FASTLATENT_ISA
