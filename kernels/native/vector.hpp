// A SIMD register of the instruction set that this translation unit is compiled for.
//
// The code is in the namespace of the instruction set, and the engines instantiate no function templates of the
// standard library: the linker merges weak symbols, and must never choose one compiled for AVX-512 for all sets.
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
  return value - Vector<T>{};  // subtracting zero changes no number, and compiles to a broadcast
}

// Integer of the width of T: the element type of comparisons of Vector<T>, of lane numbers and of bit patterns.
template <class T>
using Integer = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

template <class T>
using Integers = Vector<Integer<T>>;

// Lane numbers 0, 1, 2, …, each xor `flip`.
template <class T, int flip = 0>
struct LaneNumbers {
  Integer<T> lane[lanes<T>] = {};
  constexpr LaneNumbers() {
    for (int i = 0; i < lanes<T>; ++i) lane[i] = i ^ flip;
  }
};

template <class T, int flip = 0>
inline Integers<T> lane_numbers() {
  static constexpr LaneNumbers<T, flip> numbers;
  return load(numbers.lane);
}

// Lane i of the result is lane source[i] of a, or source[i] − lanes of b.
template <class T>
inline Vector<T> shuffle(Vector<T> a, Vector<T> b, Integers<T> source) {
#if defined(__clang__)
  Vector<T> result;
  for (int i = 0; i < lanes<T>; ++i) result[i] = source[i] < lanes<T> ? a[source[i]] : b[source[i] - lanes<T>];
  return result;
#else
  return __builtin_shuffle(a, b, source);
#endif
}

// Sum of the lanes, by halves: the order of the additions depends on the register width alone.
template <class T, int width = lanes<T> / 2>
inline T sum_lanes(Vector<T> v) {
  if constexpr (width == 0) {
    return v[0];
  } else {
    return sum_lanes<T, width / 2>(v + shuffle<T>(v, v, lane_numbers<T, width>()));
  }
}

}  // namespace fastlatent::FASTLATENT_ISA
