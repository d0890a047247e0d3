// Symmetric eigendecomposition of a small matrix: Householder's tridiagonal form, then implicit QL
// (Golub & Van Loan 2013, "Matrix Computations", sections 8.3.1 and 8.3.3).
#pragma once

#include "spectral/matrix.hpp"

namespace fastlatent::FASTLATENT_ISA {

struct Eigen {
  using Register = Vector<double>;
  static constexpr int width = lanes<double>;
  static constexpr double rounding = 2.2e-16;
  static constexpr int most_sweeps = 60;  // an eigenvalue takes two or three

  const std::int64_t d;
  Workspace<double> values, off, factors;
  Workspace<double> reflector, product;  // both padded like a row

  explicit Eigen(std::int64_t d_)
      : d(d_), values(d_), off(d_), factors(d_), reflector(round_up(d_, width)),
        product(round_up(d_, width)) {}

  // Eigenvalues of positive semidefinite W = VΛVᵀ, unsorted, with 0 for those that are rounding; Z becomes VᵀZ, if
  // there is one. W is overwritten. What is not finite gives NaN.
  void decompose(Matrix<double>& w, Matrix<double>* z) {
    double greatest = 0, sum = 0;
    for (std::int64_t i = 0; i < d; ++i) {
      greatest = w.row(i)[i] > greatest ? w.row(i)[i] : greatest;
      for (std::int64_t j = 0; j < d; ++j) sum += 0 * w.row(i)[j];  // NaN unless all are finite
    }
    if (greatest <= 0 || sum != sum) {
      for (std::int64_t i = 0; i < d; ++i) values[i] = sum;
      return;
    }
    for (std::int64_t i = 0; i < d; ++i)
      for (std::int64_t j = 0; j < w.padded; ++j) w.row(i)[j] /= greatest;
    tridiagonalise(w);
    if (z) turn(w, *z);
    double most = 0;
    for (std::int64_t l = 0; l < d; ++l) isolate(l, z);
    for (std::int64_t i = 0; i < d; ++i) most = values[i] > most ? values[i] : most;
    for (std::int64_t i = 0; i < d; ++i)
      values[i] = values[i] <= double(d) * rounding * most ? 0 : values[i] * greatest;
  }

 private:
  // W = QTQᵀ: the diagonals of T in values and off, the reflectors of Q in the rows of W beyond the diagonal.
  void tridiagonalise(Matrix<double>& w) {
    for (std::int64_t j = 0; j < w.padded; ++j) reflector[j] = product[j] = 0;
    for (std::int64_t k = 0; k < d; ++k) {
      values[k] = w.row(k)[k];
      off[k] = k + 1 < d ? w.row(k)[k + 1] : 0;
      if (k + 2 >= d) continue;
      factors[k] = reflect(w.row(k), k);
      if (factors[k] == 0) continue;
      update(w, k, factors[k]);
      for (std::int64_t j = k + 1; j < d; ++j) w.row(k)[j] = reflector[j];
    }
  }

  // The reflector I − τvvᵀ that leaves of row k beyond its diagonal one entry, off[k].
  double reflect(const double* row, std::int64_t k) {
    double rest = 0;
    for (std::int64_t j = k + 2; j < d; ++j) rest += row[j] * row[j];
    if (rest == 0) return 0;
    const double head = row[k + 1], norm = __builtin_sqrt(head * head + rest);
    off[k] = head > 0 ? -norm : norm;
    reflector[k] = 0;
    reflector[k + 1] = 1;
    const double inverse = 1 / (head - off[k]);
    for (std::int64_t j = k + 2; j < d; ++j) reflector[j] = row[j] * inverse;
    return (off[k] - head) / off[k];
  }

  // W ← (I − τvvᵀ)W(I − τvvᵀ) beyond row k: W − vqᵀ − qvᵀ with q = p − (τ/2)(pᵀv)v, p = τWv.
  void update(Matrix<double>& w, std::int64_t k, double tau) {
    const std::int64_t first = (k + 1) / width * width;
    double* p = product.data();
    std::int64_t panel = first;
    for (; panel + 4 * width <= w.padded; panel += 4 * width) combine<4>(w, k, panel, p);
    for (; panel < w.padded; panel += width) combine<1>(w, k, panel, p);
    double inner = 0;
    for (std::int64_t j = k + 1; j < d; ++j) inner += p[j] * reflector[j];
    for (std::int64_t j = first; j < w.padded; ++j) p[j] = tau * (p[j] - tau / 2 * inner * reflector[j]);
    for (std::int64_t i = k + 1; i < d; ++i) {
      const Register v = splat(reflector[i]), q = splat(p[i]);
      for (std::int64_t j = first; j < w.padded; j += width)
        store(w.row(i) + j, load(w.row(i) + j) - v * load(p + j) - q * load(reflector.data() + j));
    }
  }

  // to = Σ_{i>k} v_i·(row i of W), in the columns from j on
  template <int registers>
  void combine(const Matrix<double>& w, std::int64_t k, std::int64_t j, double* to) const {
    Register sum[registers] = {};
    for (std::int64_t i = k + 1; i < d; ++i)
      for (int v = 0; v < registers; ++v) sum[v] += splat(reflector[i]) * load(w.row(i) + j + v * width);
    for (int v = 0; v < registers; ++v) store(to + j + v * width, sum[v]);
  }

  // Z ← QᵀZ, a panel of columns at a time
  void turn(const Matrix<double>& w, Matrix<double>& z) const {
    std::int64_t j = 0;
    for (; j + 4 * width <= z.padded; j += 4 * width) turn_panel<4>(w, z, j);
    for (; j < z.padded; j += width) turn_panel<1>(w, z, j);
  }

  template <int registers>
  void turn_panel(const Matrix<double>& w, Matrix<double>& z, std::int64_t j) const {
    for (std::int64_t k = 0; k + 2 < d; ++k) {
      if (factors[k] == 0) continue;
      const double* reflection = w.row(k);
      Register inner[registers] = {};
      for (std::int64_t i = k + 1; i < d; ++i)
        for (int v = 0; v < registers; ++v) inner[v] += splat(reflection[i]) * load(z.row(i) + j + v * width);
      for (int v = 0; v < registers; ++v) inner[v] *= factors[k];
      for (std::int64_t i = k + 1; i < d; ++i)
        for (int v = 0; v < registers; ++v) {
          double* entry = z.row(i) + j + v * width;
          store(entry, load(entry) - splat(reflection[i]) * inner[v]);
        }
    }
  }

  // QL sweeps until values[l] is an eigenvalue. W was scaled to entries of at most 1.
  void isolate(std::int64_t l, Matrix<double>* z) {
    for (int sweeps = 0; sweeps < most_sweeps; ++sweeps) {
      std::int64_t m = l;
      for (; m + 1 < d; ++m) {
        const double beside = __builtin_fabs(values[m]) + __builtin_fabs(values[m + 1]);
        if (__builtin_fabs(off[m]) <= rounding * (beside + 0.01)) break;
      }
      if (m == l) return;
      z ? sweep<true>(l, m, z) : sweep<false>(l, m, z);
    }
    values[l] = __builtin_nan("");
  }

  // One implicit QL sweep over l..m. Each rotation turns its rows of Z at once: the processor does that while it waits
  // for the root and the division of the next rotation.
  template <bool turning>
  void sweep(std::int64_t l, std::int64_t m, Matrix<double>* z) {
    double g = (values[l + 1] - values[l]) / (2 * off[l]);
    const double root = __builtin_sqrt(g * g + 1);
    g = values[m] - values[l] + off[l] / (g + (g < 0 ? -root : root));
    double s = 1, c = 1, p = 0;
    for (std::int64_t i = m - 1; i >= l; --i) {
      const double f = s * off[i], b = c * off[i];
      const double square = f * f + g * g, r = __builtin_sqrt(square);
      off[i + 1] = r;
      if (r == 0) {  // the matrix falls apart here
        values[i + 1] -= p;
        off[m] = 0;
        return;
      }
      const double inverse = r * (1 / square);  // root and division side by side
      s = f * inverse;
      c = g * inverse;
      g = values[i + 1] - p;
      const double t = (values[i] - g) * s + 2 * c * b;
      p = s * t;
      values[i + 1] = g + p;
      g = c * t - b;
      if (turning) rotate(z->row(i), z->row(i + 1), z->padded, c, s);
    }
    values[l] -= p;
    off[l] = g;
    off[m] = 0;
  }

  static void rotate(double* upper, double* lower, std::int64_t stride, double cosine, double sine) {
    const Register c = splat(cosine), s = splat(sine);
    for (std::int64_t j = 0; j < stride; j += width) {
      const Register above = load(upper + j), below = load(lower + j);
      store(lower + j, s * above + c * below);
      store(upper + j, c * above - s * below);
    }
  }
};

}  // namespace fastlatent::FASTLATENT_ISA
