// One SIMD register of the instruction set that this translation unit is compiled for.
//
// Everything here lives in the namespace of the instruction set, and the engines instantiate no templates of the
// standard library: a weak symbol compiled for AVX-512 must never be the one that the linker keeps for all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#ifndef FASTLATENT_ISA
#error "engine sources are compiled once per instruction set, with FASTLATENT_ISA set to its name"
#endif

namespace fastlatent::FASTLATENT_ISA {

#if defined(__AVX512F__)
inline constexpr int vector_bytes = 64;
#elif defined(__AVX2__)
inline constexpr int vector_bytes = 32;
#else
inline constexpr int vector_bytes = 16;
#endif

template <class T>
struct VectorType {
  typedef T type __attribute__((vector_size(vector_bytes)));
};

template <class T>
using Vector = typename VectorType<T>::type;

template <class T>
inline constexpr int lanes = vector_bytes / int(sizeof(T));

template <class T>
inline Vector<T> load(const T* from) {
  Vector<T> v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

template <class T>
inline void store(T* to, Vector<T> v) {
  __builtin_memcpy(to, &v, sizeof v);
}

template <class T>
inline Vector<T> splat(T value) {
  return Vector<T>{} + value;
}

// Sum of the lanes by halves: the order depends on the register width alone.
template <class T>
inline T sum_lanes(Vector<T> v) {
  T parts[lanes<T>];
  store(parts, v);
  for (int width = lanes<T> / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) parts[i] += parts[i + width];
  return parts[0];
}

}  // namespace fastlatent::FASTLATENT_ISA
