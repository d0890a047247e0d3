// The problems of a batch, over threads.
#pragma once

#include <cstdint>

namespace fastlatent::FASTLATENT_ISA {

// `each(item, threads)` for every item: with enough items a thread takes one after the other and each runs on one
// thread, else each in turn gets all of them. Regions are never nested: OpenMP would start new threads in each.
template <class Each>
void over_batch(std::int64_t batch, int threads, const Each& each) {
  if (threads > 1 && batch >= threads) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (std::int64_t item = 0; item < batch; ++item) each(item, 1);
  } else {
    for (std::int64_t item = 0; item < batch; ++item) each(item, threads);
  }
}

}  // namespace fastlatent::FASTLATENT_ISA
