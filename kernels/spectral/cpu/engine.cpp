// The spectral engine on the CPU: Fréchet and Bures distances of a batch, one item at a time on one thread each.
//
// With `iterate` an item is computed in float32 and, if that does not converge, again in float64.
#include "spectral/cpu/engine.hpp"

#include "native/batch.hpp"
#include "native/dtype_dispatch.hpp"
#include "spectral/cpu/distances.hpp"

namespace fastlatent::FASTLATENT_ISA {
namespace {

template <class Function>
void for_each_item_on_one_thread(std::int64_t batch, int threads, const Function& function) {
  for_each_item(batch, int(min(batch, threads)), [&](std::int64_t item, int) { function(item); });
}

template <class T>
void frechet_of_batch(const FrechetDistance& call) {
  const std::int64_t x_size = call.n * call.d, y_size = call.m * call.d;
  for_each_item_on_one_thread(call.batch, call.threads, [&](std::int64_t i) {
    const T* x = static_cast<const T*>(call.x) + i * x_size;
    const T* y = offset_or_null(static_cast<const T*>(call.y), i * y_size);
    T* gradient_x = offset_or_null(static_cast<T*>(call.gradient_x), i * x_size);
    T* gradient_y = offset_or_null(static_cast<T*>(call.gradient_y), i * y_size);
    T* value = static_cast<T*>(call.value) + i;
    if (y) {
      if (call.iterate && frechet_distance<float>(call, x, y, gradient_x, gradient_y, value)) return;
      frechet_distance<double>(call, x, y, gradient_x, gradient_y, value);
    } else {
      if (call.iterate && frechet_distance_normal<float>(call, x, gradient_x, value)) return;
      frechet_distance_normal<double>(call, x, gradient_x, value);
    }
  });
}

template <class T>
void bures_of_batch(const BuresDistance& call) {
  const std::int64_t size = call.d * call.d;
  for_each_item_on_one_thread(call.batch, call.threads, [&](std::int64_t i) {
    const T* a = static_cast<const T*>(call.a) + i * size;
    const T* b = static_cast<const T*>(call.b) + i * size;
    T* gradient_a = offset_or_null(static_cast<T*>(call.gradient_a), i * size);
    T* gradient_b = offset_or_null(static_cast<T*>(call.gradient_b), i * size);
    T* value = static_cast<T*>(call.value) + i;
    if (call.iterate && bures_distance<float>(call.d, a, b, gradient_a, gradient_b, value)) return;
    bures_distance<double>(call.d, a, b, gradient_a, gradient_b, value);
  });
}

void frechet(const FrechetDistance& call) {
  with_full_dtype(call.dtype, [&](auto zero) { frechet_of_batch<decltype(zero)>(call); });
}

void bures(const BuresDistance& call) {
  with_full_dtype(call.dtype, [&](auto zero) { bures_of_batch<decltype(zero)>(call); });
}

}  // namespace

extern const SpectralKernels spectral{frechet, bures};

}  // namespace fastlatent::FASTLATENT_ISA
