// The radial profiles φ(s) and their slopes φ'(s), s = ‖a−b‖², a register of pairs at a time.
//
// A profile has a constructor from its parameters; `value(s, slope)`, which returns φ(s) and sets φ'(s); `Inner`,
// whether it is a function of the inner product instead; and `exact_near_zero`, whether φ' is singular at 0, so that
// small distances must be taken from differences of coordinates. Constant factors that all pairs share are left out
// of nothing: what reference.py says, this computes.
#pragma once

#include "native/math.hpp"
#include "native/workspace.hpp"

namespace fastlatent::FASTLATENT_ISA {

template <class T>
struct Radial {
  static constexpr bool inner = false;
  static constexpr bool exact_near_zero = false;
};

// Σ_c C_c/(C_c+s), as it is written: right for every s.
template <class T>
struct ImqByDivision : Radial<T> {
  const double* constants;
  std::int64_t count;

  ImqByDivision(const double* parameters, std::int64_t n) : constants(parameters), count(n) {}

  Vector<T> value(Vector<T> s, Vector<T>& slope) const {
    Vector<T> sum{}, down{};
    for (std::int64_t c = 0; c < count; ++c) {
      const Vector<T> inverse = T(1) / (T(constants[c]) + s);
      const Vector<T> term = T(constants[c]) * inverse;
      sum += term;
      down -= term * inverse;
    }
    slope = down;
    return sum;
  }
};

// Σ_c C_c/(C_c+s) four constants at a time, over a common denominator: with t = s/C̄ and c = C/C̄,
//   φ = P/Q,  φ' = −N/(C̄·Q²),  Q = Π(c+t),  P = Σ c Π_{others}(c'+t),  N = Σ c Π_{others}(c'+t)².
// All coefficients are positive and t ≥ 0: nothing cancels. One division serves four constants, value and slope.
// Q² overflows float32 for t beyond 2²⁰: `limit` says up to which s this form may be used.
template <class T>
struct Imq : Radial<T> {
  static constexpr int group = 4;
  struct Group {
    T scale;          // 1/C̄
    T q[group];       // Q without its leading 1
    T p[group];       // P
    T slope[2 * group - 1];  // −N/C̄
  };
  static constexpr int most = 8;  // groups, hence 32 constants
  Group groups[most];
  int count = 0;
  double limit = 1e300;

  static bool serves(std::int64_t constants) { return constants <= most * group; }

  Imq(const double* parameters, std::int64_t n) {
    for (std::int64_t first = 0; first < n; first += group) add(parameters + first, n - first < group ? int(n - first) : group);
  }

  void add(const double* constants, int size) {
    double least = constants[0], greatest = constants[0];
    for (int k = 1; k < size; ++k) {
      least = constants[k] < least ? constants[k] : least;
      greatest = constants[k] > greatest ? constants[k] : greatest;
    }
    const double mean = __builtin_sqrt(least * greatest);
    double c[group];
    for (int k = 0; k < group; ++k) c[k] = k < size ? constants[k] / mean : 1;  // unused places: weight 0 below
    double q[group + 1] = {1}, p[group] = {}, squares[2 * group - 1] = {};
    for (int k = 0; k < group; ++k)
      for (int i = k; i >= 0; --i) {
        q[i + 1] += q[i];
        q[i] *= c[k];
      }
    for (int k = 0; k < size; ++k) {
      double others[group] = {1};
      for (int l = 0, degree = 0; l < group; ++l) {
        if (l == k) continue;
        for (int i = degree++; i >= 0; --i) {
          others[i + 1] += others[i];
          others[i] *= c[l];
        }
      }
      for (int i = 0; i < group; ++i) {
        p[i] += c[k] * others[i];
        for (int j = 0; j < group; ++j) squares[i + j] -= c[k] * others[i] * others[j] / mean;
      }
    }
    Group& g = groups[count++];
    g.scale = T(1 / mean);
    for (int i = 0; i < group; ++i) g.q[i] = T(q[i]), g.p[i] = T(p[i]);
    for (int i = 0; i < 2 * group - 1; ++i) g.slope[i] = T(squares[i]);
    const double reach = (sizeof(T) == 4 ? 1e5 : 1e30) * least;
    limit = reach < limit ? reach : limit;
  }

  Vector<T> value(Vector<T> s, Vector<T>& slope) const {
    Vector<T> sum{}, down{};
    for (int i = 0; i < count; ++i) {
      const Group& g = groups[i];
      const Vector<T> t = s * g.scale;
      Vector<T> p = splat(g.p[group - 1]), q = t + g.q[group - 1], n = splat(g.slope[2 * group - 2]);
      for (int k = group - 2; k >= 0; --k) p = p * t + g.p[k], q = q * t + g.q[k];
      for (int k = 2 * group - 3; k >= 0; --k) n = n * t + g.slope[k];
      const Vector<T> inverse = T(1) / q;
      sum += p * inverse;
      down += n * inverse * inverse;
    }
    slope = down;
    return sum;
  }
};

// Σ_b exp(−s/(2b²)).
template <class T>
struct Gaussian : Radial<T> {
  const double* bandwidths;
  std::int64_t count;

  Gaussian(const double* parameters, std::int64_t n) : bandwidths(parameters), count(n) {}

  Vector<T> value(Vector<T> s, Vector<T>& slope) const {
    Vector<T> sum{}, down{};
    for (std::int64_t b = 0; b < count; ++b) {
      const T rate = T(-0.5 / (bandwidths[b] * bandwidths[b]));
      const Vector<T> term = exp_of_negative<T>(s * rate);
      sum += term;
      down += term * rate;
    }
    slope = down;
    return sum;
  }
};

// Σ_b exp(−√s/b); φ'(0) counts as 0.
template <class T>
struct Laplace : Radial<T> {
  static constexpr bool exact_near_zero = true;
  const double* bandwidths;
  std::int64_t count;

  Laplace(const double* parameters, std::int64_t n) : bandwidths(parameters), count(n) {}

  Vector<T> value(Vector<T> s, Vector<T>& slope) const {
    const Vector<T> r = square_root(s);
    Vector<T> sum{}, down{};
    for (std::int64_t b = 0; b < count; ++b) {
      const T rate = T(-1 / bandwidths[b]);
      const Vector<T> term = exp_of_negative<T>(r * rate);
      sum += term;
      down += term * rate;
    }
    slope = r == 0 ? Vector<T>{} : T(0.5) * down / r;
    return sum;
  }
};

// Σ_α (1+s/(2α))^(−α).
template <class T>
struct RationalQuadratic : Radial<T> {
  const double* alphas;
  std::int64_t count;

  RationalQuadratic(const double* parameters, std::int64_t n) : alphas(parameters), count(n) {}

  Vector<T> value(Vector<T> s, Vector<T>& slope) const {
    Vector<T> sum{}, down{};
    for (std::int64_t a = 0; a < count; ++a) {
      const Vector<T> base = T(1) + s * T(0.5 / alphas[a]);
      const Vector<T> term = exp_of_negative<T>(T(-alphas[a]) * log_of_large<T>(base));
      sum += term;
      down -= T(0.5) * term / base;
    }
    slope = down;
    return sum;
  }
};

// −√s; φ'(0) counts as 0.
template <class T>
struct Energy : Radial<T> {
  static constexpr bool exact_near_zero = true;

  Energy(const double*, std::int64_t) {}

  Vector<T> value(Vector<T> s, Vector<T>& slope) const {
    const Vector<T> r = square_root(s);
    slope = r == 0 ? Vector<T>{} : T(-0.5) / r;
    return -r;
  }
};

}  // namespace fastlatent::FASTLATENT_ISA
