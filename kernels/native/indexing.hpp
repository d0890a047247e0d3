// Index arithmetic: sizes in whole blocks, and offsets of optional arrays.
#pragma once

#include <cstdint>

namespace fastlatent::FASTLATENT_ISA {

inline std::int64_t min(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
inline std::int64_t max(std::int64_t a, std::int64_t b) { return a > b ? a : b; }

inline std::int64_t ceil_div(std::int64_t n, std::int64_t divisor) { return (n + divisor - 1) / divisor; }
inline std::int64_t round_up(std::int64_t n, std::int64_t multiple) { return ceil_div(n, multiple) * multiple; }
inline std::int64_t round_down(std::int64_t n, std::int64_t multiple) { return n / multiple * multiple; }

// base + offset; null if base is null.
template <class T>
inline T* offset_or_null(T* base, std::int64_t offset) {
  return base ? base + offset : nullptr;
}

}  // namespace fastlatent::FASTLATENT_ISA
