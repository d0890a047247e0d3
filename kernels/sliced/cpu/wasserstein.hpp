// Sliced Wasserstein distances: a block of directions at a time is projected, sorted, compared and backprojected, so
// that no array of size n × L exists.
//
// The bits do not depend on the number of threads: one thread computes a column, the gradient of a point adds the
// directions in their order, and so does the value.
#pragma once

#include <omp.h>

#include "native/workspace.hpp"
#include "sliced/cpu/engine.hpp"
#include "sliced/cpu/projections.hpp"
#include "sliced/cpu/quantile_cost.hpp"
#include "sliced/cpu/sort/columns.hpp"

namespace fastlatent::FASTLATENT_ISA {

// Maximal number of projected points in the blocks of a group, unless one block has more.
inline constexpr std::int64_t group_budget = 1 << 20;

// Projections of one sample on a group of blocks. A block is row-major (element (i, c) at i·32 + c) if a network sorts
// its columns, else column-major (c·pitch + i).
template <class T>
struct ProjectedSample {
  std::int64_t rows;
  bool row_major;
  std::int64_t pitch;  // whole cache lines plus one: columns a power of two apart would evict each other
  Workspace<T> data;

  ProjectedSample(std::int64_t rows_, bool row_major_, std::int64_t blocks)
      : rows(rows_), row_major(row_major_), pitch(round_up(rows_, 64) + 64 / std::int64_t(sizeof(T))),
        data(block_size() * blocks) {}

  std::int64_t block_size() const { return (row_major ? rows : pitch) * block_columns; }
  T* block(std::int64_t b) { return data.data() + b * block_size(); }
  T* column(std::int64_t b, int c) { return block(b) + (row_major ? c : c * pitch); }
  std::int64_t stride() const { return row_major ? block_columns : 1; }

  void project(const T* x, std::int64_t d, const Projections<T>& projections, std::int64_t b, std::int64_t chunk) {
    const std::int64_t first = chunk * chunk_rows, count = min(chunk_rows, rows - first);
    T tile[chunk_rows * block_columns];
    T* target = row_major ? block(b) + first * block_columns : tile;
    projections.project(x + first * d, count, b, target);
    if (!row_major) transpose(tile, block_columns, column(b, 0) + first, pitch, count, block_columns);
  }

  // gradient += coefficients · directions, for the coefficients in the first `columns` columns of the block
  void backproject(T* gradient, std::int64_t d, const Projections<T>& projections, std::int64_t b, std::int64_t chunk,
                   std::int64_t columns) {
    const std::int64_t first = chunk * chunk_rows, count = min(chunk_rows, rows - first);
    T tile[chunk_rows * block_columns];
    const T* coefficients = row_major ? block(b) + first * block_columns : tile;
    if (!row_major) transpose(column(b, 0) + first, pitch, tile, block_columns, block_columns, count);
    projections.backproject(coefficients, count, b, columns, gradient + first * d);
  }
};

// The distance of one item of the batch at a time, in memory that all items share.
template <class T>
class Wasserstein {
 public:
  Wasserstein(const SlicedWasserstein& call, std::int64_t blocks)
      : call_(call), blocks_(blocks), max_rows_(max(call.n, call.m)),
        network_(max_rows_ <= max_network_rows<IndexedKey<T>>),
        x_(call.n, network_, blocks), y_(call.m, network_, call.normal ? 0 : blocks),
        y_order_(call.gradient_y ? y_.block_size() * blocks : 0), projections_(call.d, blocks),
        costs_(call.count + block_columns),
        scratch_size_(sort_scratch<T>(max_rows_)),
        scratch_(scratch_size_ * call.threads) {}

  void run(const T* x, const T* y, const T* directions, T* value, T* gradient_x, T* gradient_y) {
    const std::int64_t group = blocks_ * block_columns;
    for (std::int64_t l = 0; l < call_.count + block_columns; ++l) costs_[l] = 0;
    if (gradient_x) __builtin_memset(gradient_x, 0, sizeof(T) * call_.n * call_.d);
    if (gradient_y) __builtin_memset(gradient_y, 0, sizeof(T) * call_.m * call_.d);
#pragma omp parallel num_threads(call_.threads) if (call_.threads > 1)
    for (std::int64_t first = 0; first < call_.count; first += group) {
      const std::int64_t blocks = ceil_div(min(group, call_.count - first), block_columns);
#pragma omp for
      for (std::int64_t b = 0; b < blocks; ++b) {
        const std::int64_t at = first + b * block_columns;
        projections_.pack(directions + at * call_.d, call_.count - at, b);
      }
      project(x_, x, blocks);
      if (!call_.normal) {
        project(y_, y, blocks);
        if (gradient_y)
          sort_y<IndexedKey<T>>(blocks);
        else
          sort_y<PlainKey<T>>(blocks);
      }
      if (gradient_x)
        sort_and_compare<IndexedKey<T>>(first, blocks, y);
      else
        sort_and_compare<PlainKey<T>>(first, blocks, y);
      if (gradient_x) backproject(x_, gradient_x, blocks, call_.count - first);
      if (gradient_y) backproject(y_, gradient_y, blocks, call_.count - first);
    }
    double total = 0;
    for (std::int64_t l = 0; l < call_.count; ++l) total += costs_[l];
    *value = T(total / (double(call_.count) * unit_masses()) + (call_.normal ? within_variance(y) : 0));
  }

 private:
  const SlicedWasserstein& call_;
  const std::int64_t blocks_, max_rows_;
  const bool network_;  // a network sorts all columns; otherwise the projections are column-major
  ProjectedSample<T> x_, y_;
  Workspace<std::uint32_t> y_order_;  // point of each sorted projection of y, in the layout of y_
  Projections<T> projections_;
  Workspace<double> costs_;  // by projection
  const std::int64_t scratch_size_;
  Workspace<char> scratch_;  // of the sorts, by thread

  // The costs are in units of 1/n for n = m, else of 1/(nm).
  double unit_masses() const { return call_.n == call_.m ? double(call_.n) : double(call_.n) * double(call_.m); }

  // Variance of N(0, 1) within the quantile intervals of these means.
  double within_variance(const T* means) const {
    double squares = 0;
    for (std::int64_t j = 0; j < call_.m; ++j) squares += double(means[j]) * double(means[j]);
    return 1 - squares / double(call_.m);
  }

  void* scratch() { return scratch_.data() + omp_get_thread_num() * scratch_size_; }

  void project(ProjectedSample<T>& sample, const T* points, std::int64_t blocks) {
    const std::int64_t per_block = chunk_count(sample.rows);
#pragma omp for
    for (std::int64_t task = 0; task < blocks * per_block; ++task)
      sample.project(points, call_.d, projections_, task / per_block, task % per_block);
  }

  void backproject(ProjectedSample<T>& sample, T* gradient, std::int64_t blocks, std::int64_t columns) {
#pragma omp for
    for (std::int64_t chunk = 0; chunk < chunk_count(sample.rows); ++chunk)
      for (std::int64_t b = 0; b < blocks; ++b)
        sample.backproject(gradient, call_.d, projections_, b, chunk, columns - b * block_columns);
  }

  // Sorts the projections of y in place; with IndexedKey items also stores their order.
  template <class Item>
  void sort_y(std::int64_t blocks) {
    if constexpr (sizeof(T) == 4) {
      if (network_) return sort_y_by<network_width<Item>, Item>(blocks);
      if (!has_row<Item>::value && y_.rows <= max_network_rows<Item>) return sort_contiguous_y(blocks);
    }
    sort_y_by<1, Item>(blocks);
  }

  void sort_contiguous_y(std::int64_t blocks) {
#pragma omp for schedule(dynamic)
    for (std::int64_t task = 0; task < blocks * block_columns / lanes<T>; ++task) {
      const std::int64_t c = task * lanes<T>;
      sort_contiguous_columns(y_.column(c / block_columns, int(c % block_columns)), y_.pitch, y_.rows, scratch());
    }
  }

  template <int width, class Item>
  void sort_y_by(std::int64_t blocks) {
    const std::int64_t stride = y_.stride();
#pragma omp for schedule(dynamic)
    for (std::int64_t task = 0; task < blocks * block_columns / width; ++task) {
      const std::int64_t c = task * width;
      T* values = y_.column(c / block_columns, int(c % block_columns));
      std::uint32_t* order = y_order_.data() + (values - y_.data.data());
      const auto put = [=](std::int64_t at, const Item& item) {
        values[at] = item.value();
        if constexpr (has_row<Item>::value) order[at] = item.row();
      };
      if constexpr (width == 1) {
        radix_sort(values, y_.rows, static_cast<Item*>(scratch()), static_cast<Item*>(scratch()) + y_.rows, put);
      } else {
        const Item* sorted = sort_columns<width>(values, y_.rows, stride, static_cast<Item*>(scratch()));
        for (std::int64_t j = 0; j < y_.rows; ++j)
          for (int k = 0; k < width; ++k) put(j * stride + k, sorted[j * width + k]);
      }
    }
  }

  // Replaces the projections of x and y by the derivatives of the value with respect to them.
  template <class Item>
  void sort_and_compare(std::int64_t first, std::int64_t blocks, const T* means) {
    if constexpr (sizeof(T) == 4) {
      if (network_) return sort_and_compare_by<network_width<Item>, Item>(first, blocks, means);
    }
    sort_and_compare_by<1, Item>(first, blocks, means);
  }

  template <int width, class Item>
  void sort_and_compare_by(std::int64_t first, std::int64_t blocks, const T* means) {
    const std::int64_t columns = min(blocks * block_columns, call_.count - first);
    const T scale = T(1 / (double(call_.count) * unit_masses()));
#pragma omp for schedule(dynamic)
    for (std::int64_t task = 0; task < ceil_div(columns, width); ++task) {
      const std::int64_t c = task * width, b = c / block_columns;
      T* x = x_.column(b, int(c % block_columns));
      T* y = call_.normal ? nullptr : y_.column(b, int(c % block_columns));
      T* coefficients_y = call_.gradient_y ? y : nullptr;
      const int valid = int(min(width, columns - c));
      costs_[first + c] =
          call_.normal
              ? cost<width, Item>(x, SharedTargets<T>{means, x, x_.stride()}, scale, valid)
              : cost<width, Item>(x, ColumnTargets<T>{y, coefficients_y, y_.stride(), x, x_.stride()}, scale, valid);
      if (coefficients_y) scatter_y_gradient<width>(y);
    }
  }

  template <int width, class Item, class Targets>
  double cost(const T* x, const Targets& y, T scale, int valid) {
    Item* items = static_cast<Item*>(scratch());
    if constexpr (width == 1) {
      if (call_.n == call_.m) return sort_and_match(x, call_.n, y, call_.p, scale, items);
    }
    const Item* sorted = sort_columns<width>(x, call_.n, x_.stride(), items);
    return match_sorted<width, T>(sorted, call_.n, call_.m, y, call_.p, scale, valid);
  }

  // Moves the derivatives with respect to the sorted projections of y to the order of the points.
  template <int width>
  void scatter_y_gradient(T* values) {
    const std::int64_t stride = y_.stride();
    T* sorted = static_cast<T*>(scratch());
    const std::uint32_t* order = y_order_.data() + (values - y_.data.data());
    for (std::int64_t j = 0; j < y_.rows; ++j)
      for (int k = 0; k < width; ++k) sorted[j * width + k] = values[j * stride + k];
    for (std::int64_t j = 0; j < y_.rows; ++j)
      for (int k = 0; k < width; ++k) values[order[j * stride + k] * stride + k] = sorted[j * width + k];
  }
};

template <class T>
void wasserstein_of_batch(const SlicedWasserstein& call) {
  const std::int64_t blocks = min(call.threads, ceil_div(call.count, block_columns));
  const std::int64_t max_blocks = max(1, group_budget / (max(call.n, call.m) * block_columns));
  Wasserstein<T> distance(call, min(blocks, max_blocks));
  const std::int64_t x_size = call.n * call.d, y_size = call.normal ? call.m : call.m * call.d;
  for (std::int64_t i = 0; i < call.batch; ++i)
    distance.run(static_cast<const T*>(call.x) + i * x_size, static_cast<const T*>(call.y) + i * y_size,
                 static_cast<const T*>(call.projections) + (call.shared ? 0 : i * call.d * call.count),
                 static_cast<T*>(call.value) + i, offset_or_null(static_cast<T*>(call.gradient_x), i * x_size),
                 offset_or_null(static_cast<T*>(call.gradient_y), i * y_size));
}

}  // namespace fastlatent::FASTLATENT_ISA
