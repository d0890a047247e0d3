// The pairwise engine on the CPU: sums of a profile over pairs of points with their gradients, and nearest neighbors.
#include "pairwise/cpu/engine.hpp"

#include "native/batch.hpp"
#include "pairwise/cpu/nearest.hpp"
#include "pairwise/cpu/tile_schedule.hpp"

namespace fastlatent::FASTLATENT_ISA {
namespace {

// In: type of the points. T: type of the computation. Out: type of the results.
template <class In, class T, class Out, class Phi>
void sum_profile(const PairwiseSum& call) {
  const In* x = static_cast<const In*>(call.x);
  const In* y = static_cast<const In*>(call.y);
  Out* gradient_x = static_cast<Out*>(call.gradient_x);
  Out* gradient_y = static_cast<Out*>(call.gradient_y);
  const std::int64_t x_size = call.n * call.d, y_size = call.m * call.d;
  for_each_item(call.batch, call.threads, [&](std::int64_t item, int threads) {
    PackedPoints<T> z(call.n, call.m, call.d);
    z.pack(x + item * x_size, y + item * y_size, !Phi::inner);
    Gradient<T> gradient(z, gradient_x != nullptr, gradient_y != nullptr);
    TileSchedule<T, Phi> schedule(call, z, gradient);
    static_cast<Out*>(call.value)[item] = Out(schedule.run(threads));
    if (gradient_x) gradient.write(z, Phi::inner, 0, call.n, gradient_x + item * x_size);
    if (gradient_y) gradient.write(z, Phi::inner, z.x_blocks, call.m, gradient_y + item * y_size);
  });
}

template <class In>
void sum_of_type(const PairwiseSum& call) {
  using T = Compute<In>;
  switch (call.profile) {
    case Profile::imq: return sum_profile<In, T, T, Imq<T>>(call);
    case Profile::gaussian: return sum_profile<In, T, T, Gaussian<T>>(call);
    case Profile::laplace: return sum_profile<In, T, T, Laplace<T>>(call);
    case Profile::rational_quadratic: return sum_profile<In, T, T, RationalQuadratic<T>>(call);
    case Profile::energy: return sum_profile<In, T, T, Energy<T>>(call);
    case Profile::inverse_root: return sum_profile<In, T, T, InverseRoot<T>>(call);
    case Profile::kummer: return sum_profile<In, T, T, Kummer<T>>(call);
    // powers of inner products of points far from the origin cancel: computed in float64
    case Profile::polynomial: return sum_profile<In, double, T, Polynomial<double>>(call);
  }
}

void sum(const PairwiseSum& call) {
  with_dtype(call.dtype, [&](auto zero) { sum_of_type<decltype(zero)>(call); });
}

void nearest(const NearestNeighbors& call) {
  with_dtype(call.dtype, [&](auto zero) { find_nearest<decltype(zero)>(call); });
}

}  // namespace

extern const PairwiseKernels pairwise{sum, nearest};

}  // namespace fastlatent::FASTLATENT_ISA
