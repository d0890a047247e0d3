// Fréchet and Bures distances of small matrices with their gradients; see analytic.py for the mathematics.
#include "spectral/cpu.hpp"

#include "spectral/eigen.hpp"

namespace fastlatent::FASTLATENT_ISA {
namespace {

// W = VS²Vᵀ, with Z made VᵀZ: Tr W^{1/2}, and the matrices that its powers make with Z.
struct Root {
  Eigen eigen;
  double trace = 0;

  Root(Matrix& w, Matrix* z) : eigen(w.rows) {
    eigen.decompose(w, z);
    for (std::int64_t i = 0; i < w.rows; ++i) {
      eigen.values[i] = __builtin_sqrt(eigen.values[i]);
      trace += eigen.values[i];
    }
  }

  // result = ZᵀS^{−power}Z, where singular directions count for nothing
  void inverse(Matrix& result, const Matrix& z, int power) const {
    Workspace<double> factors(z.rows);
    for (std::int64_t i = 0; i < z.rows; ++i) {
      const double s = eigen.values[i];
      factors[i] = s == 0 ? 0 : power == 1 ? 1 / s : 1 / (s * s * s);
    }
    Matrix scaled(z.rows, z.columns);
    scaled.scale_rows(z, factors.data());
    multiply_symmetric(result, scaled, true, z);
  }
};

// Tr(AB)^{1/2}, and the maps A⁻¹ # B and B⁻¹ # A where there is room for them. B is overwritten.
double couple(const Matrix& a, Matrix& b, Matrix* first, Matrix* second) {
  const std::int64_t d = a.rows;
  Matrix factor(d, d), transposed(d, d), carried(d, d), w(d, d);
  cholesky(factor, b);
  transposed.copy_transposed(factor);
  multiply(carried, factor, false, a);
  multiply_symmetric(w, carried, false, transposed);
  const Root root(w, first || second ? &factor : nullptr);
  if (first) root.inverse(*first, factor, 1);
  if (second) {
    multiply(carried, factor, false, a);
    root.inverse(*second, carried, 3);
  }
  return root.trace;
}

// A sample, centred.
struct Sample {
  Matrix points;
  Workspace<double> mean;
  double mean_square = 0;  // Tr Σ

  template <class T>
  Sample(const T* x, std::int64_t n, std::int64_t d) : points(n, d), mean(d) {
    for (std::int64_t k = 0; k < d; ++k) mean[k] = 0;
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t k = 0; k < d; ++k) mean[k] += double(x[i * d + k]);
    for (std::int64_t k = 0; k < d; ++k) mean[k] /= double(n);
    for (std::int64_t i = 0; i < n; ++i) {
      double* row = points.row(i);
      double sum = 0;
      for (std::int64_t k = 0; k < d; ++k) {
        row[k] = double(x[i * d + k]) - mean[k];
        sum += row[k] * row[k];
      }
      mean_square += sum;
    }
    mean_square /= double(n - 1);
  }

  void covariance(Matrix& to, double eps) const {
    multiply_symmetric(to, points, true, points);
    const double inverse = 1 / double(points.rows - 1);
    for (std::int64_t i = 0; i < to.rows; ++i) {
      for (std::int64_t j = 0; j < to.columns; ++j) to.row(i)[j] *= inverse;
      to.row(i)[i] += eps;
    }
  }

  // Gradient of ‖μ − other‖² + Tr Σ − 2 Tr(ΣΣ')^{1/2}, from what its map makes of the points, times `spread`.
  template <class T>
  void gradient(const Matrix& moved, double spread, const double* other, T* to) const {
    const std::int64_t n = points.rows, d = points.columns;
    const double scale = 2 / double(n - 1);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t k = 0; k < d; ++k) {
        const double shift = 2 / double(n) * (mean[k] - (other ? other[k] : 0));
        to[i * d + k] = T(scale * (points.row(i)[k] - spread * moved.row(i)[k]) + shift);
      }
  }
};

template <class T>
double pair_by_covariance(const Sample& x, const Sample& y, double eps, T* gradient_x, T* gradient_y) {
  const std::int64_t d = x.points.columns;
  Matrix a(d, d), b(d, d), first(d, d), second(d, d);
  x.covariance(a, eps);
  y.covariance(b, eps);
  const double root = couple(a, b, gradient_x ? &first : nullptr, gradient_y ? &second : nullptr);
  if (gradient_x) {
    Matrix moved(x.points.rows, d);
    multiply(moved, x.points, false, first);
    x.gradient(moved, 1, y.mean.data(), gradient_x);
  }
  if (gradient_y) {
    Matrix moved(y.points.rows, d);
    multiply(moved, y.points, false, second);
    y.gradient(moved, 1, x.mean.data(), gradient_y);
  }
  return root;
}

// M = XYᵀ, n ≥ m: its polar factor U = M(MᵀM)^{−1/2} carries X to UY and Y to UᵀX.
template <class T>
double pair_by_gram(const Sample& x, const Sample& y, T* gradient_x, T* gradient_y) {
  const std::int64_t n = x.points.rows, m = y.points.rows, d = x.points.columns;
  if (n < m) return pair_by_gram(y, x, gradient_y, gradient_x);
  const double sizes = __builtin_sqrt(double(n - 1)) / __builtin_sqrt(double(m - 1));
  Matrix columns(d, m), products(n, m), w(m, m), z(m, m), inverse(m, m), polar(n, m);
  columns.copy_transposed(y.points);
  multiply(products, x.points, false, columns);
  multiply_symmetric(w, products, true, products);
  z.set_identity();
  const Root root(w, gradient_x || gradient_y ? &z : nullptr);
  if (gradient_x || gradient_y) {
    root.inverse(inverse, z, 1);
    multiply(polar, products, false, inverse);
  }
  if (gradient_x) {
    Matrix moved(n, d);
    multiply(moved, polar, false, y.points);
    x.gradient(moved, sizes, y.mean.data(), gradient_x);
  }
  if (gradient_y) {
    Matrix moved(m, d);
    multiply(moved, polar, true, x.points);
    y.gradient(moved, 1 / sizes, x.mean.data(), gradient_y);
  }
  return root.trace / (__builtin_sqrt(double(n - 1)) * __builtin_sqrt(double(m - 1)));
}

template <class T>
double pair_distance(const FrechetCall& call, const T* from_x, const T* from_y, T* gradient_x, T* gradient_y) {
  const Sample x(from_x, call.n, call.d), y(from_y, call.m, call.d);
  const double root = call.gram ? pair_by_gram(x, y, gradient_x, gradient_y)
                                : pair_by_covariance(x, y, call.eps, gradient_x, gradient_y);
  double shift = 0;
  for (std::int64_t k = 0; k < call.d; ++k) shift += (x.mean[k] - y.mean[k]) * (x.mean[k] - y.mean[k]);
  return shift + x.mean_square + y.mean_square + 2 * double(call.d) * call.eps - 2 * root;
}

template <class T>
double normal_distance(const FrechetCall& call, const T* from_x, T* gradient_x) {
  const Sample x(from_x, call.n, call.d);
  const std::int64_t size = call.gram ? call.n : call.d;
  Matrix w(size, size), z(size, size);
  if (call.gram) {
    Matrix columns(call.d, call.n);
    columns.copy_transposed(x.points);
    multiply_symmetric(w, x.points, false, columns);
    for (std::int64_t i = 0; i < size; ++i)
      for (std::int64_t j = 0; j < size; ++j) w.row(i)[j] /= double(call.n - 1);
  } else {
    x.covariance(w, call.eps);
  }
  z.set_identity();
  const Root root(w, gradient_x ? &z : nullptr);
  if (gradient_x) {
    Matrix inverse(size, size), moved(call.n, call.d);
    root.inverse(inverse, z, 1);
    call.gram ? multiply(moved, inverse, false, x.points) : multiply(moved, x.points, false, inverse);
    x.gradient(moved, 1, nullptr, gradient_x);
  }
  double shift = 0;
  for (std::int64_t k = 0; k < call.d; ++k) shift += x.mean[k] * x.mean[k];
  return shift + x.mean_square + double(call.d) * (1 + call.eps) - 2 * root.trace;
}

template <class T>
void read_symmetric(Matrix& to, const T* from) {
  const std::int64_t d = to.rows;
  for (std::int64_t i = 0; i < d; ++i)
    for (std::int64_t j = 0; j < d; ++j) to.row(i)[j] = (double(from[i * d + j]) + double(from[j * d + i])) / 2;
}

template <class T>
void write_identity_minus(const Matrix& m, T* to) {
  for (std::int64_t i = 0; i < m.rows; ++i)
    for (std::int64_t j = 0; j < m.columns; ++j) to[i * m.columns + j] = T((i == j) - m.row(i)[j]);
}

template <class T>
double bures_distance(std::int64_t d, const T* from_a, const T* from_b, T* gradient_a, T* gradient_b) {
  Matrix a(d, d), b(d, d), first(d, d), second(d, d);
  read_symmetric(a, from_a);
  read_symmetric(b, from_b);
  const double traces = a.trace() + b.trace();
  const double root = couple(a, b, gradient_a ? &first : nullptr, gradient_b ? &second : nullptr);
  if (gradient_a) write_identity_minus(first, gradient_a);
  if (gradient_b) write_identity_minus(second, gradient_b);
  return traces - 2 * root;
}

// One problem after another, over threads where there are several.
template <class Each>
void over_batch(std::int64_t batch, int threads, const Each& each) {
  if (batch == 1 || threads == 1) {
    for (std::int64_t i = 0; i < batch; ++i) each(i);
    return;
  }
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (std::int64_t i = 0; i < batch; ++i) each(i);
}

template <class T>
T* at(T* base, std::int64_t offset) { return base ? base + offset : nullptr; }

template <class T>
void frechet_of(const FrechetCall& call) {
  const auto *x = static_cast<const T*>(call.x), *y = static_cast<const T*>(call.y);
  auto *gradient_x = static_cast<T*>(call.gradient_x), *gradient_y = static_cast<T*>(call.gradient_y);
  const std::int64_t of_x = call.n * call.d, of_y = call.m * call.d;
  over_batch(call.batch, call.threads, [&](std::int64_t i) {
    static_cast<T*>(call.value)[i] =
        T(y ? pair_distance(call, x + i * of_x, y + i * of_y, at(gradient_x, i * of_x), at(gradient_y, i * of_y))
            : normal_distance(call, x + i * of_x, at(gradient_x, i * of_x)));
  });
}

template <class T>
void bures_of(const BuresCall& call) {
  const auto *a = static_cast<const T*>(call.a), *b = static_cast<const T*>(call.b);
  auto *gradient_a = static_cast<T*>(call.gradient_a), *gradient_b = static_cast<T*>(call.gradient_b);
  const std::int64_t size = call.d * call.d;
  over_batch(call.batch, call.threads, [&](std::int64_t i) {
    static_cast<T*>(call.value)[i] =
        T(bures_distance(call.d, a + i * size, b + i * size, at(gradient_a, i * size), at(gradient_b, i * size)));
  });
}

void frechet(const FrechetCall& call) { call.float64 ? frechet_of<double>(call) : frechet_of<float>(call); }
void bures(const BuresCall& call) { call.float64 ? bures_of<double>(call) : bures_of<float>(call); }

}  // namespace

extern const SpectralKernels spectral{frechet, bures};

}  // namespace fastlatent::FASTLATENT_ISA
