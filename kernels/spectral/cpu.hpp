// The CPU kernels of the spectral engine, as the bindings and the instruction sets see them.
#pragma once

#include <cstdint>

#include "native/isa.hpp"

namespace fastlatent {

// All arrays are contiguous, float64 if `float64`, else float32. A null gradient is one that is not needed. What is
// between is float64, or where `iterate` is set float32 for all matrices that are definite beyond its rounding.
struct FrechetCall {
  bool float64;
  const void* x;  // (batch, n, d)
  const void* y;  // (batch, m, d); null: against N(0, I)
  std::int64_t batch, n, m, d;
  double eps;
  bool gram;     // work on the side of the samples instead of the coordinates
  bool iterate;  // by products instead of eigendecomposition; not with gram
  void* value;  // (batch,)
  void* gradient_x;
  void* gradient_y;
  int threads;
};

struct BuresCall {
  bool float64;
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
  void (*frechet)(const FrechetCall&);
  void (*bures)(const BuresCall&);
};

FASTLATENT_DECLARE_TABLE(SpectralKernels, spectral)

}  // namespace fastlatent
