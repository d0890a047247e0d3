// Floating numbers as integers of the same order: −0 equals 0, and every NaN comes last.
#pragma once

#include "native/vector.hpp"

namespace fastlatent::FASTLATENT_ISA {

template <class T>
struct KeyOf;
template <>
struct KeyOf<float> {
  using type = std::int32_t;
};
template <>
struct KeyOf<double> {
  using type = std::int64_t;
};
template <class T>
using Key = typename KeyOf<T>::type;

// Negative numbers have their magnitude bits flipped; the map is its own inverse.
template <class K>
inline K flip_negative(K bits) {
  constexpr int sign = 8 * sizeof(K) - 1;
  return bits ^ ((bits >> sign) & ~(K(1) << sign));
}

template <class T>
inline Key<T> to_key(T value) {
  value += T(0);  // −0 becomes 0
  Key<T> bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  constexpr Key<T> last = ~(Key<T>(1) << (8 * sizeof(T) - 1));
  return value == value ? flip_negative(bits) : last;
}

template <class T>
inline T from_key(Key<T> key) {
  const Key<T> bits = flip_negative(key);
  T value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

// A key with the row that it came from. In float32 both share one word, so that comparing the words orders equal keys
// by their row.
template <class T>
struct Indexed;

template <>
struct Indexed<float> {
  std::int64_t word;
  static Indexed of(float value, std::uint32_t row) { return {std::int64_t(to_key(value)) << 32 | row}; }
  std::int32_t key() const { return std::int32_t(word >> 32); }
  float value() const { return from_key<float>(key()); }
  std::uint32_t row() const { return std::uint32_t(word); }
  std::int64_t bits() const { return word; }
  static Indexed last() { return {INT64_MAX}; }
};

template <>
struct Indexed<double> {
  std::int64_t number;
  std::int64_t from;
  static Indexed of(double value, std::uint32_t row) { return {to_key(value), row}; }
  std::int64_t key() const { return number; }
  double value() const { return from_key<double>(number); }
  std::uint32_t row() const { return std::uint32_t(from); }
};

// A key alone.
template <class T>
struct Plain {
  Key<T> number;
  static Plain of(T value, std::uint32_t) { return {to_key(value)}; }
  Key<T> key() const { return number; }
  T value() const { return from_key<T>(number); }
  Key<T> bits() const { return number; }
  static Plain last() { return {Key<T>(~(Key<T>(1) << (8 * sizeof(T) - 1)))}; }
};

template <class Item>
struct has_row {
  static constexpr bool value = false;
};
template <class T>
struct has_row<Indexed<T>> {
  static constexpr bool value = true;
};

}  // namespace fastlatent::FASTLATENT_ISA
