// Matrix transposition in whole registers.
#pragma once

#include "native/vector.hpp"

namespace fastlatent::FASTLATENT_ISA {

// Source lanes of the two rows of a pair, `distance` apart, in one exchange step.
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

// Exchanges the off-diagonal quarters, then those of each quarter, and so on.
template <class T, int distance = lanes<T> / 2>
inline void transpose_registers(Vector<T>* rows) {
  if constexpr (distance > 0) {
    static constexpr Exchange<T, distance> source;
    const Integers<T> low = load(source.low), high = load(source.high);
#pragma GCC unroll 16
    for (int i = 0; i < lanes<T>; ++i)
      if (!(i & distance)) {
        const Vector<T> a = rows[i], b = rows[i + distance];
        rows[i] = shuffle<T>(a, b, low);
        rows[i + distance] = shuffle<T>(a, b, high);
      }
    transpose_registers<T, distance / 2>(rows);
  }
}

// to (columns × rows) = from (rows × columns)ᵀ. Reads and writes whole registers: both sizes are padded to them.
template <class T>
inline void transpose(const T* from, std::int64_t from_stride, T* to, std::int64_t to_stride, std::int64_t rows,
                      std::int64_t columns) {
  for (std::int64_t i = 0; i < rows; i += lanes<T>)
    for (std::int64_t j = 0; j < columns; j += lanes<T>) {
      Vector<T> block[lanes<T>];
#pragma GCC unroll 16
      for (int k = 0; k < lanes<T>; ++k) block[k] = load(from + (i + k) * from_stride + j);
      transpose_registers<T>(block);
#pragma GCC unroll 16
      for (int k = 0; k < lanes<T>; ++k) store(to + (j + k) * to_stride + i, block[k]);
    }
}

}  // namespace fastlatent::FASTLATENT_ISA
