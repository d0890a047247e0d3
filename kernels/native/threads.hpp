// The number of the OpenMP thread that asks, 0 outside a parallel region.
#pragma once

#include <omp.h>

namespace fastlatent {
inline int thread_number() { return omp_get_thread_num(); }
}  // namespace fastlatent
