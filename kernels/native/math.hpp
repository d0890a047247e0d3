// Elementary functions on whole registers, to a few units in the last place.
#pragma once

#include "native/vector.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fastlatent::FASTLATENT_ISA {

// What the elementary functions need to know of a floating type.
template <class T>
struct Format;

template <>
struct Format<float> {
  using Bits = std::int32_t;
  static constexpr int mantissa = 23;
  static constexpr float magic = 12582912.0f;  // 1.5·2²³: adding it rounds to an integer, held in the low bits
  static constexpr float ln2_high = 0.693145751953125f, ln2_low = 1.428606765330187e-06f;
  static constexpr float least_exponent = -87.0f;  // below it exp counts as 0
  static constexpr int exp_terms = 7, log_terms = 5;
};

template <>
struct Format<double> {
  using Bits = std::int64_t;
  static constexpr int mantissa = 52;
  static constexpr double magic = 6755399441055744.0;
  static constexpr double ln2_high = 0.6931471803691238, ln2_low = 1.9082149292705877e-10;
  static constexpr double least_exponent = -708.0;
  static constexpr int exp_terms = 13, log_terms = 11;
};

template <class T>
using Bits = typename VectorType<typename Format<T>::Bits>::type;

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

// 1/√v for v > 0. AVX-512 has 14 bits of it at once; a Newton step doubles them, past what float32 holds.
template <class T>
inline Vector<T> inverse_square_root(Vector<T> v) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    const Vector<float> guess = Vector<float>(_mm512_rsqrt14_ps(__m512(v)));
    return guess + guess * (T(0.5) - T(0.5) * v * guess * guess);
  }
#endif
  return T(1) / square_root(v);
}

// exp(x) for x ≤ 0: 2^k·exp(r) with |r| ≤ ln2/2, exp(r) by its Taylor polynomial.
template <class T>
inline Vector<T> exp_of_negative(Vector<T> x) {
  using F = Format<T>;
  const auto tiny = x < F::least_exponent;
  const Vector<T> shifted = x * T(1.4426950408889634) + F::magic;
  const Vector<T> k = shifted - F::magic;
  const Vector<T> r = (x - k * F::ln2_high) - k * F::ln2_low;
  T reciprocal_factorial[F::exp_terms + 1] = {1};
  for (int i = 1; i <= F::exp_terms; ++i) reciprocal_factorial[i] = reciprocal_factorial[i - 1] / T(i);
  Vector<T> sum = splat(reciprocal_factorial[F::exp_terms]);
  for (int i = F::exp_terms - 1; i >= 0; --i) sum = sum * r + reciprocal_factorial[i];
  const Vector<T> power = (Vector<T>)((Bits<T>(shifted) << F::mantissa) + Bits<T>(splat(T(1))));
  return tiny ? Vector<T>{} : sum * power;
}

// log(u) for u ≥ 1, NaN for NaN: k·ln2 + 2·atanh((m−1)/(m+1)) with m in [√½, √2).
template <class T>
inline Vector<T> log_of_large(Vector<T> u) {
  using F = Format<T>;
  const Bits<T> half = Bits<T>(splat(T(0.70710678118654752)));
  const Bits<T> k = (Bits<T>(u) - half) >> F::mantissa;
  const Vector<T> m = (Vector<T>)(Bits<T>(u) - (k << F::mantissa));
  // the small integer k as a float: put it into the low bits of the magic number
  const Vector<T> exponent = (Vector<T>)(k + Bits<T>(splat(F::magic))) - F::magic;
  const Vector<T> f = (m - 1) / (m + 1);
  const Vector<T> square = f * f;
  Vector<T> sum = splat(T(1) / T(2 * F::log_terms + 1));
  for (int i = F::log_terms - 1; i >= 0; --i) sum = sum * square + T(1) / T(2 * i + 1);
  return u == u ? (exponent * F::ln2_low + 2 * f * sum) + exponent * F::ln2_high : u;
}

}  // namespace fastlatent::FASTLATENT_ISA
