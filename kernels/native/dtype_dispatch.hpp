// Dispatch on the floating-point type of the input, and conversion of its values to the type of the computation.
#pragma once

#include "native/dtype.hpp"
#include "native/vector.hpp"

namespace fastlatent::FASTLATENT_ISA {

struct Bfloat16 {
  std::uint16_t bits;
};
struct Float16 {
  std::uint16_t bits;
};

inline float bits_to_float(std::uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

inline float widen(float v) { return v; }
inline double widen(double v) { return v; }
inline float widen(Bfloat16 v) { return bits_to_float(std::uint32_t(v.bits) << 16); }

// IEEE half precision: the exponent and mantissa shifted into place, times 2^112, which also normalizes subnormals.
// The maximal exponent becomes infinity or NaN.
inline float widen(Float16 v) {
  const std::uint32_t magnitude = std::uint32_t(v.bits & 0x7fff) << 13;
  const float scaled = bits_to_float(magnitude) * bits_to_float(0x77800000);
  std::uint32_t bits;
  __builtin_memcpy(&bits, &scaled, sizeof bits);
  if (magnitude >= 0x0f800000) bits |= 0x7f800000;
  return bits_to_float(bits | std::uint32_t(v.bits & 0x8000) << 16);
}

// Type of the computation for an input type: float64 for float64, else float32.
template <class In>
using Compute = decltype(widen(In{}));

// Calls f with a zero of the input type.
template <class Function>
inline void with_dtype(Dtype dtype, const Function& f) {
  switch (dtype) {
    case Dtype::float64: return f(double{});
    case Dtype::float32: return f(float{});
    case Dtype::bfloat16: return f(Bfloat16{});
    case Dtype::float16: return f(Float16{});
  }
}

// The same for engines without half-precision input; the bindings refuse other types (`full_dtype`).
template <class Function>
inline void with_full_dtype(Dtype dtype, const Function& f) {
  dtype == Dtype::float64 ? f(double{}) : f(float{});
}

}  // namespace fastlatent::FASTLATENT_ISA
