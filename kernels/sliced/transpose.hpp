// Transposition of a narrow matrix in whole registers.
#pragma once

#include "native/vector.hpp"

namespace fastlatent::FASTLATENT_ISA {

// Lanes of two registers to be exchanged between rows that are `distance` apart.
template <class T, int distance>
struct Exchange {
  Integer<T> low[lanes<T>] = {}, high[lanes<T>] = {};
  constexpr Exchange() {
    for (int i = 0; i < lanes<T>; ++i) {
      low[i] = i & distance ? lanes<T> + i - distance : i;
      high[i] = i & distance ? lanes<T> + i : i + distance;
    }
  }
};

// Off-diagonal quarters change places, then those of each quarter, and so on.
template <class T, int distance = lanes<T> / 2>
inline void transpose_registers(Vector<T>* rows) {
  if constexpr (distance > 0) {
    static constexpr Exchange<T, distance> lanes_of;
    const Vector<Integer<T>> low = load(lanes_of.low), high = load(lanes_of.high);
#pragma GCC unroll 16
    for (int i = 0; i < lanes<T>; ++i)
      if (!(i & distance)) {
        const Vector<T> a = rows[i], b = rows[i + distance];
        rows[i] = __builtin_shuffle(a, b, low);
        rows[i + distance] = __builtin_shuffle(a, b, high);
      }
    transpose_registers<T, distance / 2>(rows);
  }
}

// to (columns × rows) = from (rows × columns)ᵀ. Whole registers are read and written: both must have room for them.
template <class T>
inline void transpose(const T* from, std::int64_t from_pitch, T* to, std::int64_t to_pitch, std::int64_t rows,
                      std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; i += lanes<T>)
    for (std::int64_t j = 0; j < columns; j += lanes<T>) {
      Vector<T> block[lanes<T>];
#pragma GCC unroll 16
      for (int k = 0; k < lanes<T>; ++k) block[k] = load(from + (i + k) * from_pitch + j);
      transpose_registers<T>(block);
#pragma GCC unroll 16
      for (int k = 0; k < lanes<T>; ++k) store(to + (j + k) * to_pitch + i, block[k]);
    }
}

}  // namespace fastlatent::FASTLATENT_ISA
