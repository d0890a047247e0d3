// The CPU kernels of the pairwise engine, as the bindings and the instruction sets see them.
#pragma once

#include <cstdint>

#include "native/isa.hpp"
#include "native/scalar.hpp"

namespace fastlatent {

enum class Profile { imq, gaussian, laplace, rational_quadratic, energy, inverse_root, kummer, polynomial };

// value = w_xx Σ_{i≠j} φ(x_i, x_j) + w_xy Σ_ij φ(x_i, y_j) + w_yy Σ_{i≠j} φ(y_i, y_j), for each of `batch` pairs of
// clouds (n, d) and (m, d), contiguous; with `diagonal` the pairs i = j count too. Results are float64 for float64 input, else float32.
struct PairwiseForm {
  Profile profile;
  const double* parameters;
  std::int64_t parameter_count;
  double weight_xx, weight_xy, weight_yy;
  bool diagonal;
  Scalar scalar;
  const void* x;
  const void* y;
  std::int64_t batch, n, m, d;
  void* value;       // (batch,)
  void* gradient_x;  // (batch, n, d), or null where it is not needed
  void* gradient_y;  // (batch, m, d), or null
  int threads;
};

// For each point of x the index of its nearest point of y, the lowest of equals. A point of y with a NaN counts as
// nearest to all, as in torch.argmin.
struct NearestNeighbours {
  Scalar scalar;
  const void* x;
  const void* y;
  std::int64_t batch, n, m, d;
  std::int64_t* index;  // (batch, n)
  int threads;
};

struct PairwiseKernels {
  void (*form)(const PairwiseForm&);
  void (*nearest)(const NearestNeighbours&);
};

FASTLATENT_DECLARE_TABLE(PairwiseKernels, pairwise)

}  // namespace fastlatent
