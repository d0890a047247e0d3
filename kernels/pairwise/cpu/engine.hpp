// Interface of the CPU kernels of the pairwise engine, and their table for each instruction set.
#pragma once

#include <cstdint>

#include "native/dtype.hpp"
#include "native/isa.hpp"

namespace fastlatent {

// In the order of PROFILES in pairwise/cpu/launch.py.
enum class Profile { imq, gaussian, laplace, rational_quadratic, energy, inverse_root, kummer, polynomial };

inline constexpr int max_kummer_terms = 64;  // of each of the two series of a Kummer profile

// value = w_xx Σ_{i≠j} φ(x_i, x_j) + w_xy Σ_ij φ(x_i, y_j) + w_yy Σ_{i≠j} φ(y_i, y_j), for each pair of samples (n, d)
// and (m, d) of a batch; with `diagonal` the sums include i = j. All arrays are contiguous. Results are float64 for
// float64 input, else float32.
struct PairwiseSum {
  Profile profile;
  const double* parameters;
  std::int64_t parameter_count;
  double weight_xx, weight_xy, weight_yy;
  bool diagonal;
  Dtype dtype;
  const void* x;
  const void* y;
  std::int64_t batch, n, m, d;
  void* value;       // (batch,)
  void* gradient_x;  // (batch, n, d), or null if it is not needed
  void* gradient_y;  // (batch, m, d), or null
  int threads;
};

// For each point of x the index of its nearest point of y, the lowest of equals. A point of y with a NaN is the nearest
// of all, as in torch.argmin.
struct NearestNeighbors {
  Dtype dtype;
  const void* x;
  const void* y;
  std::int64_t batch, n, m, d;
  std::int64_t* index;  // (batch, n)
  int threads;
};

struct PairwiseKernels {
  void (*sum)(const PairwiseSum&);
  void (*nearest)(const NearestNeighbors&);
};

FASTLATENT_DECLARE_TABLE(PairwiseKernels, pairwise)

}  // namespace fastlatent
