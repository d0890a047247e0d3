// Interface of the CPU kernels of the sliced engine, and their table for each instruction set.
#pragma once

#include <cstdint>

#include "native/dtype.hpp"
#include "native/isa.hpp"

namespace fastlatent {

// (1/L) Σ_l W_p^p(θ_lᵀx, θ_lᵀy) for each item of a batch. All arrays are contiguous and of type `dtype`, float64 or
// float32.
struct SlicedWasserstein {
  Dtype dtype;
  double p;
  bool normal;  // against N(0, I): y (m,) is the quantile means of N(0, 1), for all projections; adds 1 − mean y²
  const void* x;            // (batch, n, d)
  const void* y;            // (batch, m, d)
  const void* projections;  // (count, d) if shared, else (batch, count, d)
  bool shared;
  std::int64_t batch, n, m, d, count;
  void* value;       // (batch,)
  void* gradient_x;  // like x, or null if it is not needed
  void* gradient_y;  // like y, or null
  int threads;
};

// n (1/L) Σ_l Σ_k w_k |ecf_l(t_k) − e^(−t_k²/2)|² e^(−t_k²/2) for equally spaced points t_k ≥ 0.
struct EppsPulleyStatistic {
  Dtype dtype;
  const double* points;
  const double* weights;
  std::int64_t point_count;
  const void* x;            // (batch, n, d)
  const void* projections;  // (count, d) if shared, else (batch, count, d)
  bool shared;
  std::int64_t batch, n, d, count;
  void* value;       // (batch,)
  void* gradient_x;  // like x, or null if it is not needed
  int threads;
};

// Sorts the columns of values (rows, columns) in place; for the tests of the sorts.
struct ColumnSort {
  Dtype dtype;
  void* values;
  std::int64_t rows, columns;
  std::int64_t* order;  // like values: original row of each sorted value, or null if it is not needed
};

struct SlicedKernels {
  void (*wasserstein)(const SlicedWasserstein&);
  void (*epps_pulley)(const EppsPulleyStatistic&);
  void (*sort_columns)(const ColumnSort&);
};

FASTLATENT_DECLARE_TABLE(SlicedKernels, sliced)

}  // namespace fastlatent
