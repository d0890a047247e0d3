// The CPU kernels of the pairwise engine, as the bindings and the instruction sets see them.
#pragma once

#include <cstdint>

#include "native/isa.hpp"
#include "native/scalar.hpp"

namespace fastlatent {

enum class Profile { imq, gaussian, laplace, rational_quadratic, energy, cramer_wold, kummer, polynomial };

// value = w_xx Σ_{i≠j} φ(x_i, x_j) + w_xy Σ_ij φ(x_i, y_j) + w_yy Σ_{i≠j} φ(y_i, y_j), for each of `batch` pairs of
// clouds (n, d) and (m, d), contiguous. Results are float64 for float64 input and for polynomials, else float32.
struct PairwiseForm {
  Profile profile;
  const double* parameters;
  std::int64_t parameter_count;
  double weight_xx, weight_xy, weight_yy;
  Scalar scalar;
  const void* x;
  const void* y;
  std::int64_t batch, n, m, d;
  void* value;       // (batch,)
  void* gradient_x;  // (batch, n, d), or null where it is not needed
  void* gradient_y;  // (batch, m, d), or null
  int threads;
};

struct PairwiseKernels {
  void (*form)(const PairwiseForm&);
};

FASTLATENT_DECLARE_TABLE(PairwiseKernels, pairwise)

}  // namespace fastlatent
