// Reading input of any floating type as the type that the kernel computes in.
#pragma once

#include "native/scalar.hpp"
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

// IEEE half precision: shift exponent and mantissa into place, scale by 2^112 (which also makes subnormals right),
// and send the largest exponent to infinity or NaN.
inline float widen(Float16 v) {
  const std::uint32_t magnitude = std::uint32_t(v.bits & 0x7fff) << 13;
  const float scaled = bits_to_float(magnitude) * bits_to_float(0x77800000);
  std::uint32_t bits;
  __builtin_memcpy(&bits, &scaled, sizeof bits);
  if (magnitude >= 0x0f800000) bits |= 0x7f800000;
  return bits_to_float(bits | std::uint32_t(v.bits & 0x8000) << 16);
}

}  // namespace fastlatent::FASTLATENT_ISA
