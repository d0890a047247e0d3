// The Wasserstein distance of sorted columns to the power p, and its derivatives.
#pragma once

#include "sliced/cpu/sort/columns.hpp"

namespace fastlatent::FASTLATENT_ISA {

// Costs |d|^p and their derivatives.
struct Square {
  template <class T> T value(T d) const { return d * d; }
  template <class T> T slope(T d) const { return 2 * d; }
};

struct Absolute {
  template <class T> T value(T d) const { return d < 0 ? -d : d; }
  template <class T> T slope(T d) const { return T(d > 0) - T(d < 0) + 0 * d; }  // 0·d propagates NaN
};

struct Power {
  double p;
  template <class T> T value(T d) const { return T(__builtin_pow(__builtin_fabs(double(d)), p)); }
  template <class T> T slope(T d) const {
    return T(__builtin_copysign(p * __builtin_pow(__builtin_fabs(double(d)), p - 1), double(d))) * T(d != 0);
  }
};

// A sorted sample y for each column: row j of column c is at j·stride + c.
template <class T>
struct ColumnTargets {
  const T* y;         // sorted projections
  T* coefficients_y;  // derivatives with respect to them, may be y itself; null if they are not needed
  std::int64_t y_stride;
  T* coefficients_x;  // derivatives with respect to the projections of x, in the order of the points
  std::int64_t x_stride;
  T y_value(std::int64_t j, int c) const { return y[j * y_stride + c]; }
  void store_y_gradient(std::int64_t j, int c, T slope) const {
    if (coefficients_y) coefficients_y[j * y_stride + c] = slope;
  }
};

// One sorted sample y for all columns, without gradient.
template <class T>
struct SharedTargets {
  const T* values;
  T* coefficients_x;
  std::int64_t x_stride;
  T y_value(std::int64_t j, int) const { return values[j]; }
  void store_y_gradient(std::int64_t, int, T) const {}
};

// Matches an item of x with the element of y of the same rank: stores the derivatives, multiplied by `scale`, and
// returns the cost.
template <class T, class Item, class Targets, class Cost>
inline double match(const Item& item, std::int64_t rank, int column, const Targets& y, const Cost& cost, T scale) {
  const T difference = item.value() - y.y_value(rank, column);
  const T slope = scale * cost.slope(difference);
  y.store_y_gradient(rank, column, -slope);
  if constexpr (has_row<Item>::value) y.coefficients_x[item.row() * y.x_stride + column] = slope;
  return double(cost.value(difference));
}

// Adds to sums[column] the costs of matching equal ranks.
template <int width, class T, class Item, class Targets, class Cost>
void match_ranks(const Item* x, std::int64_t n, const Targets& y, const Cost& cost, T scale, double* sums) {
  for (std::int64_t i = 0; i < n; ++i)
    for (int c = 0; c < width; ++c) sums[c] += match(x[i * width + c], i, c, y, cost, scale);
}

// The same for n ≠ m: each of the n points has mass m, each of the m points mass n, and equal quantiles are matched.
template <int width, class T, class Item, class Targets, class Cost>
void match_quantiles(const Item* x, std::int64_t n, std::int64_t m, const Targets& y, const Cost& cost, T scale,
                     double* sums) {
  T slope_x[width] = {}, slope_y[width] = {};
  std::int64_t remaining_x = m, remaining_y = n;  // mass of points i and j that is not yet matched
  for (std::int64_t i = 0, j = 0; i < n;) {
    const std::int64_t mass = min(remaining_x, remaining_y);
    for (int c = 0; c < width; ++c) {
      const T difference = x[i * width + c].value() - y.y_value(j, c);
      sums[c] += double(mass) * double(cost.value(difference));
      const T slope = T(mass) * scale * cost.slope(difference);
      slope_x[c] += slope;
      slope_y[c] -= slope;
    }
    remaining_x -= mass;
    remaining_y -= mass;
    if (!remaining_y) {
      for (int c = 0; c < width; ++c) {
        y.store_y_gradient(j, c, slope_y[c]);
        slope_y[c] = 0;
      }
      ++j;
      remaining_y = n;
    }
    if (!remaining_x) {
      for (int c = 0; c < width; ++c) {
        if constexpr (has_row<Item>::value) y.coefficients_x[x[i * width + c].row() * y.x_stride + c] = slope_x[c];
        slope_x[c] = 0;
      }
      ++i;
      remaining_x = m;
    }
  }
}

// Calls the function with the cost of order p.
template <class Function>
inline double with_cost(double p, Function function) {
  if (p == 2) return function(Square{});
  if (p == 1) return function(Absolute{});
  return function(Power{p});
}

// Sum of mass·cost over the first `valid` of the sorted columns, in units of 1/n (n = m) or 1/(nm).
template <int width, class T, class Item, class Targets>
double match_sorted(const Item* x, std::int64_t n, std::int64_t m, const Targets& y, double p, T scale, int valid) {
  return with_cost(p, [&](auto cost) {
    double sums[width] = {};
    if (n == m)
      match_ranks<width, T>(x, n, y, cost, scale, sums);
    else
      match_quantiles<width, T>(x, n, m, y, cost, scale, sums);
    double total = 0;
    for (int c = 0; c < valid; ++c) total += sums[c];
    return total;
  });
}

// The same for one unsorted column and n = m: items are matched in the last pass of the sort.
template <class Item, class T, class Targets>
double sort_and_match(const T* values, std::int64_t n, const Targets& y, double p, T scale, Item* scratch) {
  return with_cost(p, [&](auto cost) {
    double total = 0;
    radix_sort(values, n, scratch, scratch + n,
               [&](std::int64_t rank, const Item& item) { total += match(item, rank, 0, y, cost, scale); });
    return total;
  });
}

}  // namespace fastlatent::FASTLATENT_ISA
