// The profiles φ(s) and their slopes φ'(s), s = ‖a−b‖², for a register of pairs at a time.
//
// A profile has
// - a constructor from its parameters,
// - `value(s, slope)`, which returns φ(s) and sets φ'(s),
// - `inner`: whether s is the inner product ⟨a, b⟩ instead,
// - `scale`: the squared distance over which φ changes (0 if φ' is singular at 0), which sets the accuracy that
//   distances need,
// - `choose(max_s, run)`, which calls `run` with the fastest form of the profile that is accurate for all s ≤ max_s.
#pragma once

#include "native/math.hpp"
#include "native/workspace.hpp"
#include "pairwise/cpu/engine.hpp"

namespace fastlatent::FASTLATENT_ISA {

template <class Derived>
struct Radial {
  static constexpr bool inner = false;

  template <class Run>
  double choose(double /*max_s*/, Run&& run) const {
    return run(static_cast<const Derived&>(*this));
  }
};

inline double min_value(const double* values, std::int64_t count) {
  double min = values[0];
  for (std::int64_t i = 1; i < count; ++i) min = values[i] < min ? values[i] : min;
  return min;
}

// Σ_c C_c/(C_c+s), one division per constant: accurate for every s.
template <class T>
struct ImqByDivision : Radial<ImqByDivision<T>> {
  const double* constants;
  std::int64_t count;
  const double scale;

  ImqByDivision(const double* parameters, std::int64_t n)
      : constants(parameters), count(n), scale(min_value(parameters, n)) {}

  [[gnu::always_inline]] Vector<T> value(Vector<T> s, Vector<T>& slope) const {
    Vector<T> sum{}, derivative{};
    for (std::int64_t c = 0; c < count; ++c) {
      const Vector<T> inverse = T(1) / (T(constants[c]) + s);
      const Vector<T> term = T(constants[c]) * inverse;
      sum += term;
      derivative -= term * inverse;
    }
    slope = derivative;
    return sum;
  }
};

// Σ_c C_c/(C_c+s), `size` constants at a time over a common denominator: with t = s/C̄ and c = C/C̄,
//   φ = P/Q,  φ' = −N/(C̄·Q²),  Q = Π(c+t),  P = Σ c Π_{others}(c'+t),  N = Σ c Π_{others}(c'+t)².
// All coefficients are positive and t ≥ 0: no cancellation. Value and slope of a group take one division.
// N and Q overflow for large t, earlier for larger groups: for s beyond `range` the form Fallback is used.
template <class T, int size, class Fallback>
struct ImqByGroups {
  static constexpr bool inner = false;
  static constexpr int max_groups = 8;

  struct Group {
    T scale;                // 1/C̄
    T p[size];              // P
    T q[size];              // Q, without its leading 1
    T slope[2 * size - 1];  // −N/C̄
  };

  Group groups[max_groups];
  int count = 0;
  double range = 0;
  Fallback fallback;
  const double scale;

  ImqByGroups(const double* constants, std::int64_t n) : fallback(constants, n), scale(fallback.scale) {
    if (n > max_groups * size) return;  // range 0: always the fallback
    range = 1e300;
    for (std::int64_t first = 0; first < n; first += size)
      add(constants + first, n - first < size ? int(n - first) : size);
  }

  template <class Run>
  double choose(double max_s, Run&& run) const {
    return max_s <= range ? run(*this) : fallback.choose(max_s, run);
  }

  [[gnu::always_inline]] Vector<T> value(Vector<T> s, Vector<T>& slope) const {
    Vector<T> sum{}, derivative{};
    for (int i = 0; i < count; ++i) {
      const Group& g = groups[i];
      const Vector<T> t = s * g.scale;
      Vector<T> p = splat(g.p[size - 1]), q = t + g.q[size - 1], n = splat(g.slope[2 * size - 2]);
      // three independent Horner chains: a single one would be bound by latency
      for (int k = size - 2; k >= 0; --k) p = p * t + g.p[k], q = q * t + g.q[k], n = n * t + g.slope[size - 1 + k];
      for (int k = size - 2; k >= 0; --k) n = n * t + g.slope[k];
      const Vector<T> inverse = T(1) / q;
      sum += p * inverse;
      derivative += n * inverse * inverse;
    }
    slope = derivative;
    return sum;
  }

 private:
  // Adds a group of `used` constants. The unused places are constants 1 that multiply Q but have no term in the sum.
  void add(const double* constants, int used) {
    double max = constants[0];
    for (int k = 1; k < used; ++k) max = constants[k] > max ? constants[k] : max;
    const double mean = __builtin_sqrt(min_value(constants, used) * max), max_ratio = max / mean;
    double c[size], q[size + 1], p[size] = {}, slope[2 * size - 1] = {};
    for (int k = 0; k < size; ++k) c[k] = k < used ? constants[k] / mean : 1;
    expand(c, -1, q);
    for (int k = 0; k < used; ++k) {
      double others[size + 1];
      expand(c, k, others);
      for (int i = 0; i < size; ++i) {
        p[i] += c[k] * others[i];
        for (int j = 0; j < size; ++j) slope[i + j] -= c[k] * others[i] * others[j] / mean;
      }
    }
    Group& g = groups[count++];
    g.scale = T(1 / mean);
    for (int i = 0; i < size; ++i) g.p[i] = T(p[i]), g.q[i] = T(q[i]);
    for (int i = 0; i < 2 * size - 1; ++i) g.slope[i] = T(slope[i]);
    // N ≤ used·c·(c+t)^(2·size−2) must not overflow, nor 1/Q underflow
    const double max_factor = __builtin_pow(sizeof(T) == 4 ? 1e36 : 1e300, 1.0 / (2 * size - 1));
    const double group_max = (max_factor / 2 - max_ratio) * mean;
    range = group_max < range ? group_max : range;
  }

  // Coefficients of Π_{k≠skip}(c_k + t), lowest first.
  static void expand(const double* c, int skip, double* coefficients) {
    for (int i = 0; i <= size; ++i) coefficients[i] = i == 0;
    for (int k = 0, degree = 0; k < size; ++k) {
      if (k == skip) continue;
      for (int i = degree++; i >= 0; --i) {
        coefficients[i + 1] += coefficients[i];
        coefficients[i] *= c[k];
      }
    }
  }
};

// The usual seven scales in one group; beyond its range groups of four; beyond theirs one division per constant.
template <class T>
using ImqByFours = ImqByGroups<T, 4, ImqByDivision<T>>;
template <class T>
using Imq = ImqByGroups<T, 7, ImqByFours<T>>;

// Σ_b exp(−s/(2b²)).
template <class T>
struct Gaussian : Radial<Gaussian<T>> {
  const double* bandwidths;
  std::int64_t count;
  const double scale;

  Gaussian(const double* parameters, std::int64_t n)
      : bandwidths(parameters), count(n), scale(2 * min_value(parameters, n) * min_value(parameters, n)) {}

  [[gnu::always_inline]] Vector<T> value(Vector<T> s, Vector<T>& slope) const {
    Vector<T> sum{}, derivative{};
    for (std::int64_t b = 0; b < count; ++b) {
      const T rate = T(-0.5 / (bandwidths[b] * bandwidths[b]));
      const Vector<T> term = exp_of_negative<T>(s * rate);
      sum += term;
      derivative += term * rate;
    }
    slope = derivative;
    return sum;
  }
};

// Σ_b exp(−√s/b); φ'(0) is set to 0.
template <class T>
struct Laplace : Radial<Laplace<T>> {
  static constexpr double scale = 0;
  const double* bandwidths;
  std::int64_t count;

  Laplace(const double* parameters, std::int64_t n) : bandwidths(parameters), count(n) {}

  [[gnu::always_inline]] Vector<T> value(Vector<T> s, Vector<T>& slope) const {
    const Vector<T> inverse = s == 0 ? Vector<T>{} : inverse_square_root<T>(s), r = s * inverse;
    Vector<T> sum{}, derivative{};
    for (std::int64_t b = 0; b < count; ++b) {
      const T rate = T(-1 / bandwidths[b]);
      const Vector<T> term = exp_of_negative<T>(r * rate);
      sum += term;
      derivative += term * rate;
    }
    slope = T(0.5) * derivative * inverse;
    return sum;
  }
};

// Σ_α (1+s/(2α))^(−α).
template <class T>
struct RationalQuadratic : Radial<RationalQuadratic<T>> {
  const double* alphas;
  std::int64_t count;
  const double scale;

  RationalQuadratic(const double* parameters, std::int64_t n)
      : alphas(parameters), count(n), scale(2 / (1 + 1 / min_value(parameters, n))) {}

  [[gnu::always_inline]] Vector<T> value(Vector<T> s, Vector<T>& slope) const {
    Vector<T> sum{}, derivative{};
    for (std::int64_t a = 0; a < count; ++a) {
      const Vector<T> base = T(1) + s * T(0.5 / alphas[a]);
      const Vector<T> term = exp_of_negative<T>(T(-alphas[a]) * log_of_large<T>(base));
      sum += term;
      derivative -= T(0.5) * term / base;
    }
    slope = derivative;
    return sum;
  }
};

// −√s; φ'(0) is set to 0.
template <class T>
struct Energy : Radial<Energy<T>> {
  static constexpr double scale = 0;

  Energy(const double*, std::int64_t) {}

  [[gnu::always_inline]] Vector<T> value(Vector<T> s, Vector<T>& slope) const {
    const Vector<T> inverse = s == 0 ? Vector<T>{} : inverse_square_root<T>(s);
    slope = T(-0.5) * inverse;
    return -s * inverse;
  }
};

// (1 + k·s)^(−1/2): the Cramér–Wold profile in high dimension.
template <class T>
struct InverseRoot : Radial<InverseRoot<T>> {
  const T rate;
  const double scale;

  InverseRoot(const double* parameters, std::int64_t) : rate(T(parameters[0])), scale(1 / parameters[0]) {}

  [[gnu::always_inline]] Vector<T> value(Vector<T> s, Vector<T>& slope) const {
    const Vector<T> term = inverse_square_root<T>(T(1) + rate * s);
    slope = (T(-0.5) * rate) * term * term * term;
    return term;
  }
};

// ₁F₁(1/2; d/2; −c·s) = √r·Σ a_k T_k(2r−1) and its slope −c·r^{3/2}·Σ b_k T_k(2r−1), r = 1/(1 + rate·c·s): the
// Chebyshev series of kummer.py. Parameters: c, rate, then the a_k, then as many b_k.
template <class T>
struct Kummer : Radial<Kummer<T>> {
  const T c, rate;
  const int terms;
  const double scale;
  T a[max_kummer_terms], b[max_kummer_terms];

  Kummer(const double* parameters, std::int64_t n)
      : c(T(parameters[0])), rate(T(parameters[1] * parameters[0])), terms(int(n - 2) / 2), scale(1 / parameters[0]) {
    for (int k = 0; k < terms; ++k) a[k] = T(parameters[2 + k]), b[k] = T(parameters[2 + terms + k]);
  }

  [[gnu::always_inline]] Vector<T> value(Vector<T> s, Vector<T>& slope) const {
    const Vector<T> r = T(1) / (T(1) + rate * s);
    const Vector<T> root = square_root(r), t = 4 * r - 2;  // t: twice the argument of the polynomials
    Vector<T> a1{}, a2{}, b1{}, b2{};                      // Clenshaw's recurrence
    for (int k = terms - 1; k > 0; --k) {
      const Vector<T> a0 = (t * a1 - a2) + a[k], b0 = (t * b1 - b2) + b[k];
      a2 = a1, a1 = a0, b2 = b1, b1 = b0;
    }
    slope = -c * r * root * (T(0.5) * t * b1 - b2 + b[0]);
    return root * (T(0.5) * t * a1 - a2 + a[0]);
  }
};

// (γ·⟨a, b⟩ + c)^p. Parameters: γ, c, p.
template <class T>
struct Polynomial : Radial<Polynomial<T>> {
  static constexpr bool inner = true;
  static constexpr double scale = 1;
  const T gamma, offset;
  const int degree;

  Polynomial(const double* parameters, std::int64_t)
      : gamma(T(parameters[0])), offset(T(parameters[1])), degree(int(parameters[2])) {}

  [[gnu::always_inline]] Vector<T> value(Vector<T> product, Vector<T>& slope) const {
    const Vector<T> base = gamma * product + offset;
    Vector<T> power = splat(T(1));
    for (int k = 1; k < degree; ++k) power *= base;
    slope = (T(degree) * gamma) * power;
    return power * base;
  }
};

}  // namespace fastlatent::FASTLATENT_ISA
