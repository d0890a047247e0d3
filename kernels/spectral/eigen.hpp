// Symmetric eigendecomposition of a small matrix: Householder's tridiagonal form, then implicit QL
// (Golub & Van Loan 2013, "Matrix Computations", sections 8.3.1 and 8.3.3).
#pragma once

#include "spectral/matrix.hpp"

namespace fastlatent::FASTLATENT_ISA {

struct Eigen {
  static constexpr double rounding = 2.2e-16;
  static constexpr int most_sweeps = 60;  // an eigenvalue takes two or three

  const std::int64_t d;
  Workspace<double> values, off, cosines, sines;
  Workspace<double> reflector, product;  // both padded like a row

  explicit Eigen(std::int64_t d_)
      : d(d_), values(d_), off(d_), cosines(d_), sines(d_), reflector(round_up(d_, width)),
        product(round_up(d_, width)) {}

  // Eigenvalues of positive semidefinite W = VΛVᵀ, unsorted, with 0 for those that are rounding; Z becomes VᵀZ, if
  // there is one. W is overwritten. What is not finite gives NaN.
  void decompose(Matrix& w, Matrix* z) {
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
      for (std::int64_t j = 0; j < w.stride; ++j) w.row(i)[j] /= greatest;
    tridiagonalise(w, z);
    double most = 0;
    for (std::int64_t l = 0; l < d; ++l) isolate(l, z);
    for (std::int64_t i = 0; i < d; ++i) most = values[i] > most ? values[i] : most;
    for (std::int64_t i = 0; i < d; ++i) values[i] = values[i] <= double(d) * rounding * most ? 0 : values[i] * greatest;
  }

 private:
  void tridiagonalise(Matrix& w, Matrix* z) {
    for (std::int64_t j = 0; j < w.stride; ++j) reflector[j] = product[j] = 0;
    for (std::int64_t k = 0; k < d; ++k) {
      values[k] = w.row(k)[k];
      off[k] = k + 1 < d ? w.row(k)[k + 1] : 0;
      if (k + 2 >= d) continue;
      const double tau = reflect(w.row(k), k);
      if (tau == 0) continue;
      update(w, k, tau);
      if (z) turn(*z, k, tau);
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

  // to = Σ_{i>k} v_i·(row i of M), from column `first` on
  void combine(const Matrix& m, std::int64_t k, std::int64_t first, double* to) const {
    std::int64_t j = first;
    for (; j + 4 * width <= m.stride; j += 4 * width) combine_panel<4>(m, k, j, to);
    for (; j < m.stride; j += width) combine_panel<1>(m, k, j, to);
  }

  template <int registers>
  void combine_panel(const Matrix& m, std::int64_t k, std::int64_t j, double* to) const {
    Register sum[registers] = {};
    for (std::int64_t i = k + 1; i < d; ++i)
      for (int v = 0; v < registers; ++v) sum[v] += splat(reflector[i]) * load(m.row(i) + j + v * width);
    for (int v = 0; v < registers; ++v) store(to + j + v * width, sum[v]);
  }

  // W ← (I − τvvᵀ)W(I − τvvᵀ) beyond row k: W − vqᵀ − qvᵀ with q = p − (τ/2)(pᵀv)v, p = τWv.
  void update(Matrix& w, std::int64_t k, double tau) {
    const std::int64_t first = (k + 1) / width * width;
    double* p = product.data();
    combine(w, k, first, p);
    double inner = 0;
    for (std::int64_t j = k + 1; j < d; ++j) inner += p[j] * reflector[j];
    for (std::int64_t j = first; j < w.stride; ++j) p[j] = tau * (p[j] - tau / 2 * inner * reflector[j]);
    for (std::int64_t i = k + 1; i < d; ++i) {
      const Register v = splat(reflector[i]), q = splat(p[i]);
      for (std::int64_t j = first; j < w.stride; j += width)
        store(w.row(i) + j, load(w.row(i) + j) - v * load(p + j) - q * load(reflector.data() + j));
    }
  }

  // Z ← (I − τvvᵀ)Z
  void turn(Matrix& z, std::int64_t k, double tau) {
    double* inner = z.row(round_up(d, tile_rows));  // the spare row
    combine(z, k, 0, inner);
    for (std::int64_t i = k + 1; i < d; ++i) {
      const Register factor = splat(tau * reflector[i]);
      for (std::int64_t j = 0; j < z.stride; j += width)
        store(z.row(i) + j, load(z.row(i) + j) - factor * load(inner + j));
    }
  }

  // QL sweeps until values[l] is an eigenvalue. W was scaled to entries of at most 1.
  void isolate(std::int64_t l, Matrix* z) {
    for (int sweeps = 0; sweeps < most_sweeps; ++sweeps) {
      std::int64_t m = l;
      for (; m + 1 < d; ++m) {
        const double beside = __builtin_fabs(values[m]) + __builtin_fabs(values[m + 1]);
        if (__builtin_fabs(off[m]) <= rounding * (beside + 0.01)) break;
      }
      if (m == l) return;
      const std::int64_t first = sweep(l, m);
      if (z) rotate(*z, first, m);
    }
    values[l] = __builtin_nan("");
  }

  // One implicit QL sweep over l..m; returns the first row that it rotated, for i in first..m−1.
  std::int64_t sweep(std::int64_t l, std::int64_t m) {
    double g = (values[l + 1] - values[l]) / (2 * off[l]);
    const double root = __builtin_sqrt(g * g + 1);
    g = values[m] - values[l] + off[l] / (g + (g < 0 ? -root : root));
    double s = 1, c = 1, p = 0;
    for (std::int64_t i = m - 1; i >= l; --i) {
      const double f = s * off[i], b = c * off[i];
      const double r = __builtin_sqrt(f * f + g * g);
      off[i + 1] = r;
      if (r == 0) {  // the matrix falls apart here
        values[i + 1] -= p;
        off[m] = 0;
        return i + 1;
      }
      const double inverse = 1 / r;
      s = f * inverse;
      c = g * inverse;
      g = values[i + 1] - p;
      const double t = (values[i] - g) * s + 2 * c * b;
      p = s * t;
      values[i + 1] = g + p;
      g = c * t - b;
      cosines[i] = c;
      sines[i] = s;
    }
    values[l] -= p;
    off[l] = g;
    off[m] = 0;
    return l;
  }

  // The sweep's rotations on the rows first..m of Z; the row that two rotations share stays in registers.
  void rotate(Matrix& z, std::int64_t first, std::int64_t m) const {
    std::int64_t j = 0;
    for (; j + 4 * width <= z.stride; j += 4 * width) rotate_panel<4>(z, first, m, j);
    for (; j < z.stride; j += width) rotate_panel<1>(z, first, m, j);
  }

  template <int registers>
  void rotate_panel(Matrix& z, std::int64_t first, std::int64_t m, std::int64_t j) const {
    Register shared[registers];
    for (int v = 0; v < registers; ++v) shared[v] = load(z.row(m) + j + v * width);
    for (std::int64_t i = m - 1; i >= first; --i) {
      const Register c = splat(cosines[i]), s = splat(sines[i]);
      for (int v = 0; v < registers; ++v) {
        const Register above = load(z.row(i) + j + v * width);
        store(z.row(i + 1) + j + v * width, s * above + c * shared[v]);
        shared[v] = c * above - s * shared[v];
      }
    }
    for (int v = 0; v < registers; ++v) store(z.row(first) + j + v * width, shared[v]);
  }
};

}  // namespace fastlatent::FASTLATENT_ISA
