// The pairwise engine on the CPU: sums of a profile over pairs of points with their gradients, and nearest neighbours.
#include "pairwise/cpu.hpp"

#include "pairwise/nearest.hpp"
#include "pairwise/walk.hpp"

namespace fastlatent::FASTLATENT_ISA {
namespace {

// In: as the points are stored. T: as the kernel computes. Out: as results are written.
template <class In, class T, class Out, class Phi>
void run(const PairwiseForm& f) {
  const In* x = static_cast<const In*>(f.x);
  const In* y = static_cast<const In*>(f.y);
  Out* gradient_x = static_cast<Out*>(f.gradient_x);
  Out* gradient_y = static_cast<Out*>(f.gradient_y);
  over_batch(f.batch, f.threads, [&](std::int64_t item, int threads) {
    Packed<T> z(f.n, f.m, f.d);
    z.fill(x + item * f.n * f.d, y + item * f.m * f.d, !Phi::inner);
    Gradient<T> gradient(z, gradient_x != nullptr, gradient_y != nullptr);
    Walk<T, Phi> walk(f, z, gradient);
    static_cast<Out*>(f.value)[item] = Out(walk.run(threads));
    if (gradient_x) gradient.write(z, Phi::inner, 0, f.n, gradient_x + item * f.n * f.d);
    if (gradient_y) gradient.write(z, Phi::inner, z.x_blocks, f.m, gradient_y + item * f.m * f.d);
  });
}

template <class In, class T>
void with_profile(const PairwiseForm& f) {
  switch (f.profile) {
    case Profile::imq: return run<In, T, T, Imq<T>>(f);
    case Profile::gaussian: return run<In, T, T, Gaussian<T>>(f);
    case Profile::laplace: return run<In, T, T, Laplace<T>>(f);
    case Profile::rational_quadratic: return run<In, T, T, RationalQuadratic<T>>(f);
    case Profile::energy: return run<In, T, T, Energy<T>>(f);
    case Profile::inverse_root: return run<In, T, T, InverseRoot<T>>(f);
    case Profile::kummer: return run<In, T, T, Kummer<T>>(f);
    // powers of inner products far from the origin cancel badly: always in float64
    case Profile::polynomial: return run<In, double, T, Polynomial<double>>(f);
  }
}

void form(const PairwiseForm& f) {
  switch (f.scalar) {
    case Scalar::float64: return with_profile<double, double>(f);
    case Scalar::float32: return with_profile<float, float>(f);
    case Scalar::bfloat16: return with_profile<Bfloat16, float>(f);
    case Scalar::float16: return with_profile<Float16, float>(f);
  }
}

void nearest(const NearestNeighbours& f) {
  switch (f.scalar) {
    case Scalar::float64: return find_nearest<double, double>(f);
    case Scalar::float32: return find_nearest<float, float>(f);
    case Scalar::bfloat16: return find_nearest<Bfloat16, float>(f);
    case Scalar::float16: return find_nearest<Float16, float>(f);
  }
}

}  // namespace

extern const PairwiseKernels pairwise;
const PairwiseKernels pairwise = {form, nearest};

}  // namespace fastlatent::FASTLATENT_ISA
