// Symmetric eigendecomposition of a small matrix: Householder tridiagonalization, then implicit QL
// (Golub & Van Loan 2013, "Matrix Computations", sections 8.3.1 and 8.3.3).
#pragma once

#include "spectral/cpu/matrix.hpp"

namespace fastlatent::FASTLATENT_ISA {

struct EigenSolver {
  using Register = Vector<double>;
  static constexpr int width = lanes<double>;
  static constexpr double rounding = 2.2e-16;
  static constexpr int max_sweeps = 60;  // per eigenvalue, which takes two or three

  const std::int64_t d;
  Workspace<double> values, off_diagonal, factors;
  Workspace<double> reflector, product;  // both padded like a row

  explicit EigenSolver(std::int64_t d_)
      : d(d_), values(d_), off_diagonal(d_), factors(d_), reflector(round_up(d_, width)),
        product(round_up(d_, width)) {}

  // Eigenvalues of positive semidefinite W = VΛVᵀ, unsorted, with 0 for those within rounding error of 0; Z ← VᵀZ,
  // unless null. W is overwritten. An entry that is not finite gives NaN for all eigenvalues.
  void decompose(Matrix<double>& w, Matrix<double>* z) {
    double max_diagonal = 0, sum = 0;
    for (std::int64_t i = 0; i < d; ++i) {
      max_diagonal = w.row(i)[i] > max_diagonal ? w.row(i)[i] : max_diagonal;
      for (std::int64_t j = 0; j < d; ++j) sum += 0 * w.row(i)[j];  // NaN unless all are finite
    }
    if (max_diagonal <= 0 || sum != sum) {
      for (std::int64_t i = 0; i < d; ++i) values[i] = sum;
      return;
    }
    for (std::int64_t i = 0; i < d; ++i)
      for (std::int64_t j = 0; j < w.padded; ++j) w.row(i)[j] /= max_diagonal;
    tridiagonalize(w);
    if (z) apply_q_transpose(w, *z);
    double max_value = 0;
    for (std::int64_t l = 0; l < d; ++l) ql_eigenvalue(l, z);
    for (std::int64_t i = 0; i < d; ++i) max_value = values[i] > max_value ? values[i] : max_value;
    for (std::int64_t i = 0; i < d; ++i)
      values[i] = values[i] <= double(d) * rounding * max_value ? 0 : values[i] * max_diagonal;
  }

 private:
  // W = QTQᵀ: the diagonals of T in values and off_diagonal, the reflectors of Q in the rows of W beyond the diagonal.
  void tridiagonalize(Matrix<double>& w) {
    for (std::int64_t j = 0; j < w.padded; ++j) reflector[j] = product[j] = 0;
    for (std::int64_t k = 0; k < d; ++k) {
      values[k] = w.row(k)[k];
      off_diagonal[k] = k + 1 < d ? w.row(k)[k + 1] : 0;
      if (k + 2 >= d) continue;
      factors[k] = reflect(w.row(k), k);
      if (factors[k] == 0) continue;
      update(w, k, factors[k]);
      for (std::int64_t j = k + 1; j < d; ++j) w.row(k)[j] = reflector[j];
    }
  }

  // Reflector I − τvvᵀ that reduces row k beyond its diagonal to one entry, off_diagonal[k]. Returns τ.
  double reflect(const double* row, std::int64_t k) {
    double rest = 0;
    for (std::int64_t j = k + 2; j < d; ++j) rest += row[j] * row[j];
    if (rest == 0) return 0;
    const double head = row[k + 1], norm = __builtin_sqrt(head * head + rest);
    off_diagonal[k] = head > 0 ? -norm : norm;
    reflector[k] = 0;
    reflector[k + 1] = 1;
    const double inverse = 1 / (head - off_diagonal[k]);
    for (std::int64_t j = k + 2; j < d; ++j) reflector[j] = row[j] * inverse;
    return (off_diagonal[k] - head) / off_diagonal[k];
  }

  // W ← (I − τvvᵀ)W(I − τvvᵀ) beyond row k: W − vqᵀ − qvᵀ with q = p − (τ/2)(pᵀv)v, p = τWv.
  void update(Matrix<double>& w, std::int64_t k, double tau) {
    const std::int64_t first = round_down(k + 1, width);
    double* p = product.data();
    std::int64_t panel = first;
    for (; panel + 4 * width <= w.padded; panel += 4 * width) accumulate_rows<4>(w, k, panel, p);
    for (; panel < w.padded; panel += width) accumulate_rows<1>(w, k, panel, p);
    double inner = 0;
    for (std::int64_t j = k + 1; j < d; ++j) inner += p[j] * reflector[j];
    for (std::int64_t j = first; j < w.padded; ++j) p[j] = tau * (p[j] - tau / 2 * inner * reflector[j]);
    for (std::int64_t i = k + 1; i < d; ++i) {
      const Register v = splat(reflector[i]), q = splat(p[i]);
      for (std::int64_t j = first; j < w.padded; j += width)
        store(w.row(i) + j, load(w.row(i) + j) - v * load(p + j) - q * load(reflector.data() + j));
    }
  }

  // out = Σ_{i>k} v_i·(row i of W), in `registers` registers of columns from j on
  template <int registers>
  void accumulate_rows(const Matrix<double>& w, std::int64_t k, std::int64_t j, double* out) const {
    Register sum[registers] = {};
    for (std::int64_t i = k + 1; i < d; ++i)
      for (int v = 0; v < registers; ++v) sum[v] += splat(reflector[i]) * load(w.row(i) + j + v * width);
    for (int v = 0; v < registers; ++v) store(out + j + v * width, sum[v]);
  }

  // Z ← QᵀZ, by panels of columns
  void apply_q_transpose(const Matrix<double>& w, Matrix<double>& z) const {
    std::int64_t j = 0;
    for (; j + 4 * width <= z.padded; j += 4 * width) apply_q_transpose_panel<4>(w, z, j);
    for (; j < z.padded; j += width) apply_q_transpose_panel<1>(w, z, j);
  }

  template <int registers>
  void apply_q_transpose_panel(const Matrix<double>& w, Matrix<double>& z, std::int64_t j) const {
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

  // QL sweeps until values[l] is an eigenvalue. The entries of W are scaled to at most 1.
  void ql_eigenvalue(std::int64_t l, Matrix<double>* z) {
    for (int sweeps = 0; sweeps < max_sweeps; ++sweeps) {
      std::int64_t m = l;
      for (; m + 1 < d; ++m) {
        const double neighbors = __builtin_fabs(values[m]) + __builtin_fabs(values[m + 1]);
        if (__builtin_fabs(off_diagonal[m]) <= rounding * (neighbors + 0.01)) break;
      }
      if (m == l) return;
      z ? sweep<true>(l, m, z) : sweep<false>(l, m, z);
    }
    values[l] = __builtin_nan("");
  }

  // One implicit QL sweep over l..m. Each rotation is applied to its rows of Z at once, which overlaps with the latency
  // of the square root and the division of the next rotation.
  template <bool rotate_z>
  void sweep(std::int64_t l, std::int64_t m, Matrix<double>* z) {
    double g = (values[l + 1] - values[l]) / (2 * off_diagonal[l]);
    const double root = __builtin_sqrt(g * g + 1);
    g = values[m] - values[l] + off_diagonal[l] / (g + (g < 0 ? -root : root));
    double s = 1, c = 1, p = 0;
    for (std::int64_t i = m - 1; i >= l; --i) {
      const double f = s * off_diagonal[i], b = c * off_diagonal[i];
      const double square = f * f + g * g, r = __builtin_sqrt(square);
      off_diagonal[i + 1] = r;
      if (r == 0) {  // the matrix decouples here
        values[i + 1] -= p;
        off_diagonal[m] = 0;
        return;
      }
      const double inverse = r * (1 / square);  // square root and division are independent
      s = f * inverse;
      c = g * inverse;
      g = values[i + 1] - p;
      const double t = (values[i] - g) * s + 2 * c * b;
      p = s * t;
      values[i + 1] = g + p;
      g = c * t - b;
      if (rotate_z) rotate(z->row(i), z->row(i + 1), z->padded, c, s);
    }
    values[l] -= p;
    off_diagonal[l] = g;
    off_diagonal[m] = 0;
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
