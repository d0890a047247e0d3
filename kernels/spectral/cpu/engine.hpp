// Interface of the CPU kernels of the spectral engine, and their table for each instruction set.
#pragma once

#include <cstdint>

#include "native/dtype.hpp"
#include "native/isa.hpp"

namespace fastlatent {

// All arrays are contiguous and of type `dtype`, float64 or float32. A gradient that is not needed is null. The
// computation is in float64, or, with `iterate`, in float32 for all matrices that are positive definite up to the
// rounding of float32.
struct FrechetDistance {
  Dtype dtype;
  const void* x;  // (batch, n, d)
  const void* y;  // (batch, m, d), or null: the distance to N(0, I)
  std::int64_t batch, n, m, d;
  double eps;
  bool gram;     // use the Gram matrices of the samples instead of the covariances
  bool iterate;  // polar iteration by matmul instead of an eigendecomposition; not with gram
  void* value;   // (batch,)
  void* gradient_x;
  void* gradient_y;
  int threads;
};

struct BuresDistance {
  Dtype dtype;
  const void* a;  // (batch, d, d)
  const void* b;
  std::int64_t batch, d;
  bool iterate;
  void* value;  // (batch,)
  void* gradient_a;
  void* gradient_b;
  int threads;
};

struct SpectralKernels {
  void (*frechet)(const FrechetDistance&);
  void (*bures)(const BuresDistance&);
};

FASTLATENT_DECLARE_TABLE(SpectralKernels, spectral)

}  // namespace fastlatent
