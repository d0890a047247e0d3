// Distribution of the items of a batch over threads.
#pragma once

#include <cstdint>

namespace fastlatent::FASTLATENT_ISA {

// Calls function(item, threads) for each item. With at least as many items as threads, the items run in parallel on one
// thread each; otherwise one after the other on all threads. Parallel regions are never nested, since OpenMP would
// create new threads for each inner region.
template <class Function>
void for_each_item(std::int64_t batch, int threads, const Function& function) {
  if (threads > 1 && batch >= threads) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (std::int64_t item = 0; item < batch; ++item) function(item, 1);
  } else {
    for (std::int64_t item = 0; item < batch; ++item) function(item, threads);
  }
}

}  // namespace fastlatent::FASTLATENT_ISA
