// The Wasserstein distance of sorted columns, to the power p, and its derivatives.
#pragma once

#include "sliced/sort.hpp"

namespace fastlatent::FASTLATENT_ISA {

struct Square {
  template <class T> T cost(T d) const { return d * d; }
  template <class T> T slope(T d) const { return 2 * d; }
};

struct Absolute {
  template <class T> T cost(T d) const { return d < 0 ? -d : d; }
  template <class T> T slope(T d) const { return T(d > 0) - T(d < 0) + 0 * d; }  // 0 · d keeps NaN
};

struct Power {
  double p;
  template <class T> T cost(T d) const { return T(__builtin_pow(__builtin_fabs(double(d)), p)); }
  template <class T> T slope(T d) const {
    return T(__builtin_copysign(p * __builtin_pow(__builtin_fabs(double(d)), p - 1), double(d))) * T(d != 0);
  }
};

// Columns side by side: row j of column c is at j·stride + c.
template <class T>
struct Columns {
  const T* y;  // sorted projections of these columns
  T* coefficients_y;  // derivatives by them, may be y itself; null: not wanted
  std::int64_t y_stride;
  T* coefficients_x;  // derivatives by the projected points, in the order of the points
  std::int64_t x_stride;
  T other(std::int64_t j, int c) const { return y[j * y_stride + c]; }
  void put_other(std::int64_t j, int c, T slope) const {
    if (coefficients_y) coefficients_y[j * y_stride + c] = slope;
  }
};

// The same against one sorted sample, shared by all columns.
template <class T>
struct Shared {
  const T* values;
  T* coefficients_x;
  std::int64_t x_stride;
  T other(std::int64_t j, int) const { return values[j]; }
  void put_other(std::int64_t, int, T) const {}
};

// Pairs an item with the point of its rank on the other side: what that costs. `scale` multiplies the derivatives.
template <class T, class Item, class To, class Order>
inline double pair(const Item& item, std::int64_t rank, int column, const To& to, const Order& order, T scale) {
  const T difference = item.value() - to.other(rank, column);
  const T slope = scale * order.slope(difference);
  to.put_other(rank, column, -slope);
  if constexpr (has_row<Item>::value) to.coefficients_x[item.row() * to.x_stride + column] = slope;
  return double(order.cost(difference));
}

// Adds to sums[column] the costs of pairing equal ranks.
template <int width, class T, class Item, class To, class Order>
void pair_ranks(const Item* x, std::int64_t n, const To& to, const Order& order, T scale, double* sums) {
  for (std::int64_t i = 0; i < n; ++i)
    for (int c = 0; c < width; ++c) sums[c] += pair(x[i * width + c], i, c, to, order, scale);
}

// The same for n ≠ m: each of the n points has m units of mass, each of the m points n, and equal quantiles meet.
template <int width, class T, class Item, class To, class Order>
void pair_quantiles(const Item* x, std::int64_t n, std::int64_t m, const To& to, const Order& order, T scale,
                    double* sums) {
  T of_x[width] = {}, of_y[width] = {};
  std::int64_t left_x = m, left_y = n;
  for (std::int64_t i = 0, j = 0; i < n;) {
    const std::int64_t mass = left_x < left_y ? left_x : left_y;
    for (int c = 0; c < width; ++c) {
      const T difference = x[i * width + c].value() - to.other(j, c);
      sums[c] += double(mass) * double(order.cost(difference));
      const T slope = T(mass) * scale * order.slope(difference);
      of_x[c] += slope;
      of_y[c] -= slope;
    }
    left_x -= mass;
    left_y -= mass;
    if (!left_y) {
      for (int c = 0; c < width; ++c) {
        to.put_other(j, c, of_y[c]);
        of_y[c] = 0;
      }
      ++j;
      left_y = n;
    }
    if (!left_x) {
      for (int c = 0; c < width; ++c) {
        if constexpr (has_row<Item>::value) to.coefficients_x[x[i * width + c].row() * to.x_stride + c] = of_x[c];
        of_x[c] = 0;
      }
      ++i;
      left_x = m;
    }
  }
}

// Calls what takes the cost of order p with it.
template <class Function>
inline double with_order(double p, Function function) {
  if (p == 2) return function(Square{});
  if (p == 1) return function(Absolute{});
  return function(Power{p});
}

// Sum over the first `valid` of sorted columns of Σ mass·cost, in units of 1/n (n = m) or 1/(nm).
template <int width, class T, class Item, class To>
double compare(const Item* x, std::int64_t n, std::int64_t m, const To& to, double p, T scale, int valid) {
  return with_order(p, [&](auto order) {
    double sums[width] = {};
    if (n == m)
      pair_ranks<width, T>(x, n, to, order, scale, sums);
    else
      pair_quantiles<width, T>(x, n, m, to, order, scale, sums);
    double total = 0;
    for (int c = 0; c < valid; ++c) total += sums[c];
    return total;
  });
}

// The same for one column of values, not yet sorted, and n = m: items are paired as the sort tells their ranks.
template <class Item, class T, class To>
double sort_and_pair(const T* values, std::int64_t n, const To& to, double p, T scale, Item* scratch) {
  return with_order(p, [&](auto order) {
    double total = 0;
    radix_sort(values, n, scratch, scratch + n, [&](std::int64_t rank, const Item& item) {
      total += pair(item, rank, 0, to, order, scale);
    });
    return total;
  });
}

}  // namespace fastlatent::FASTLATENT_ISA
