// Sort keys: integers in the order of the floating-point values. −0 equals 0, and all NaN are equal and last.
#pragma once

#include "native/vector.hpp"

namespace fastlatent::FASTLATENT_ISA {

// Flips the magnitude bits of negative numbers; an involution.
template <class K>
inline K flip_negative(K bits) {
  constexpr int sign = 8 * sizeof(K) - 1;
  return bits ^ ((bits >> sign) & ~(K(1) << sign));
}

template <class T>
inline constexpr Integer<T> last_key = ~(Integer<T>(1) << (8 * sizeof(T) - 1));

template <class T>
inline Integer<T> to_key(T value) {
  value += T(0);  // −0 becomes 0
  Integer<T> bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return value == value ? flip_negative(bits) : last_key<T>;
}

template <class T>
inline T from_key(Integer<T> key) {
  const Integer<T> bits = flip_negative(key);
  T value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

// A key with its original row. In float32 both are one word, so that comparing words orders equal keys by row.
template <class T>
struct IndexedKey;

template <>
struct IndexedKey<float> {
  std::int64_t word;
  static IndexedKey of(float value, std::uint32_t row) { return {std::int64_t(to_key(value)) << 32 | row}; }
  std::int32_t key() const { return std::int32_t(word >> 32); }
  float value() const { return from_key<float>(key()); }
  std::uint32_t row() const { return std::uint32_t(word); }
  std::int64_t bits() const { return word; }
  static IndexedKey last() { return {INT64_MAX}; }
};

template <>
struct IndexedKey<double> {
  std::int64_t number;
  std::int64_t origin;
  static IndexedKey of(double value, std::uint32_t row) { return {to_key(value), row}; }
  std::int64_t key() const { return number; }
  double value() const { return from_key<double>(number); }
  std::uint32_t row() const { return std::uint32_t(origin); }
};

// A key without its row.
template <class T>
struct PlainKey {
  Integer<T> number;
  static PlainKey of(T value, std::uint32_t) { return {to_key(value)}; }
  Integer<T> key() const { return number; }
  T value() const { return from_key<T>(number); }
  Integer<T> bits() const { return number; }
  static PlainKey last() { return {last_key<T>}; }
};

template <class Item>
struct has_row {
  static constexpr bool value = false;
};
template <class T>
struct has_row<IndexedKey<T>> {
  static constexpr bool value = true;
};

}  // namespace fastlatent::FASTLATENT_ISA
