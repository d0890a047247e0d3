// The sliced engine as the bindings see it: one table of functions per instruction set.
#pragma once

#include <cstdint>

#include "native/isa.hpp"

namespace fastlatent {

// (1/L) Σ_l W_p^p(θ_lᵀx, θ_lᵀy) for each of a batch of samples. All arrays are contiguous, of one floating type.
struct SlicedCall {
  double p;
  bool normal;  // to N(0, 1): y (m,) is what the sorted projections are compared with, 1 − mean y² is added
  const void* x;  // (batch, n, d)
  const void* y;  // (batch, m, d)
  const void* projections;  // (L, d), or (batch, L, d) unless shared
  bool shared;
  std::int64_t batch, n, m, d, count;
  void* value;  // (batch,)
  void* gradient_x;  // like x; null: not wanted
  void* gradient_y;  // like y; null: not wanted
  int threads;
};

// n (1/L) Σ_l Σ_k w_k |ecf_l(t_k) − e^(−t_k²/2)|² e^(−t_k²/2) for equally spaced points t_k ≥ 0.
struct EppsPulleyCall {
  const double* points;
  const double* weights;
  std::int64_t point_count;
  const void* x;  // (batch, n, d)
  const void* projections;  // (L, d), or (batch, L, d) unless shared
  bool shared;
  std::int64_t batch, n, d, count;
  void* value;  // (batch,)
  void* gradient_x;  // like x; null: not wanted
  int threads;
};

struct SlicedTable {
  void (*sliced)(bool float64, const SlicedCall& call);
  void (*epps_pulley)(bool float64, const EppsPulleyCall& call);
  // The sort alone, for tests: values (rows, columns) become sorted columns; order: null, or the rows they came from.
  void (*sort_columns)(bool float64, void* values, std::int64_t rows, std::int64_t columns, std::int64_t* order);
};

FASTLATENT_DECLARE_TABLE(SlicedTable, sliced)

}  // namespace fastlatent
