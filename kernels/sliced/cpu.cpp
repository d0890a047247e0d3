// Sliced Wasserstein distances: a block of directions at a time is projected, sorted, compared and scattered back, so
// that nothing of size n × L is kept.
//
// The bits do not depend on the number of threads: each column is one thread's, each point's gradient adds up the
// directions in their order, and so does the value.
#include "sliced/cpu.hpp"

#include <omp.h>

#include "native/workspace.hpp"
#include "sliced/compare.hpp"
#include "sliced/directions.hpp"
#include "sliced/sort.hpp"
#include "sliced/transpose.hpp"

namespace fastlatent::FASTLATENT_ISA {
namespace {

// Projected points that several blocks may hold between them, to have work for all threads.
constexpr std::int64_t group_budget = 1 << 20;

// The projections of one sample on a group of blocks. Within a block they lie row by row where a network sorts them
// (element (i, c) at i·32 + c), and column by column otherwise (at c·pitch + i).
template <class T>
struct Projected {
  std::int64_t rows;
  bool row_major;
  std::int64_t pitch;  // a cache line more than whole lines: columns a power of two apart would evict each other
  Workspace<T> data;

  Projected(std::int64_t rows, bool row_major, std::int64_t blocks)
      : rows(rows), row_major(row_major), pitch((rows + 63) / 64 * 64 + 64 / std::int64_t(sizeof(T))),
        data(block_size() * blocks) {}

  std::int64_t block_size() const { return (row_major ? rows : pitch) * block_columns; }
  T* block(std::int64_t b) { return data.data() + b * block_size(); }
  T* column(std::int64_t b, int c) { return block(b) + (row_major ? c : c * pitch); }
  std::int64_t stride() const { return row_major ? block_columns : 1; }

  void project(const T* x, std::int64_t d, const Directions<T>& directions, std::int64_t b, std::int64_t chunk) {
    const std::int64_t first = chunk * chunk_rows, count = least(chunk_rows, rows - first);
    T tile[chunk_rows * block_columns];
    T* target = row_major ? block(b) + first * block_columns : tile;
    directions.project(x + first * d, count, b, target);
    if (!row_major) transpose(tile, block_columns, column(b, 0) + first, pitch, count, block_columns);
  }

  // gradient += coefficients · directions, the block now holding coefficients in its first `columns` columns.
  void pull_back(T* gradient, std::int64_t d, const Directions<T>& directions, std::int64_t b, std::int64_t chunk,
                 std::int64_t columns) {
    const std::int64_t first = chunk * chunk_rows, count = least(chunk_rows, rows - first);
    T tile[chunk_rows * block_columns];
    const T* source = row_major ? block(b) + first * block_columns : tile;
    if (!row_major) transpose(column(b, 0) + first, pitch, tile, block_columns, block_columns, count);
    directions.pull_back(source, count, b, columns, gradient + first * d);
  }
};

// One sample against one other.
template <class T>
class Sliced {
 public:
  Sliced(const SlicedCall& call, std::int64_t blocks)
      : call_(call), blocks_(blocks), longest_(call.n > call.m ? call.n : call.m),
        network_(longest_ <= longest_for_network<Indexed<T>>),
        u_(call.n, network_, blocks), v_(call.m, network_, call.normal ? 0 : blocks),
        v_rows_(call.gradient_y ? v_.block_size() * blocks : 0), directions_(call.d, blocks),
        sums_(call.count + block_columns),
        scratch_size_(sort_scratch<T>(longest_)),
        scratch_(scratch_size_ * call.threads) {}

  void run(const T* x, const T* y, const T* directions, T* value, T* gradient_x, T* gradient_y) {
    const std::int64_t group = blocks_ * block_columns;
    for (std::int64_t l = 0; l < call_.count + block_columns; ++l) sums_[l] = 0;
    if (gradient_x) __builtin_memset(gradient_x, 0, sizeof(T) * call_.n * call_.d);
    if (gradient_y) __builtin_memset(gradient_y, 0, sizeof(T) * call_.m * call_.d);
#pragma omp parallel num_threads(call_.threads) if (call_.threads > 1)
    for (std::int64_t first = 0; first < call_.count; first += group) {
      const std::int64_t blocks = (least(group, call_.count - first) + block_columns - 1) / block_columns;
#pragma omp for
      for (std::int64_t b = 0; b < blocks; ++b) {
        const std::int64_t at = first + b * block_columns;
        directions_.pack(directions + at * call_.d, call_.count - at, b);
      }
      project(u_, x, blocks);
      if (!call_.normal) {
        project(v_, y, blocks);
        if (gradient_y)
          sort_other<Indexed<T>>(blocks);
        else
          sort_other<Plain<T>>(blocks);
      }
      if (gradient_x)
        sort_and_compare<Indexed<T>>(first, blocks, y);
      else
        sort_and_compare<Plain<T>>(first, blocks, y);
      if (gradient_x) pull_back(u_, gradient_x, blocks, call_.count - first);
      if (gradient_y) pull_back(v_, gradient_y, blocks, call_.count - first);
    }
    double total = 0;
    for (std::int64_t l = 0; l < call_.count; ++l) total += sums_[l];
    *value = T(total / (double(call_.count) * masses()) + (call_.normal ? rest(y) : 0));
  }

 private:
  const SlicedCall& call_;
  const std::int64_t blocks_, longest_;
  const bool network_;  // sorts every column; otherwise the projections lie by columns
  Projected<T> u_, v_;
  Workspace<std::uint32_t> v_rows_;  // which point each sorted projection of y is, laid out like v_
  Directions<T> directions_;
  Workspace<double> sums_;
  const std::int64_t scratch_size_;
  Workspace<char> scratch_;

  // What a pair of ranks costs is counted in units of 1/n for n = m, of 1/(nm) otherwise.
  double masses() const { return call_.n == call_.m ? double(call_.n) : double(call_.n) * double(call_.m); }

  // The variance of N(0, 1) within the intervals that have these means.
  double rest(const T* means) const {
    double squares = 0;
    for (std::int64_t j = 0; j < call_.m; ++j) squares += double(means[j]) * double(means[j]);
    return 1 - squares / double(call_.m);
  }

  void* scratch() { return scratch_.data() + omp_get_thread_num() * scratch_size_; }

  void project(Projected<T>& sample, const T* points, std::int64_t blocks) {
    const std::int64_t per_block = chunks(sample.rows);
#pragma omp for
    for (std::int64_t task = 0; task < blocks * per_block; ++task)
      sample.project(points, call_.d, directions_, task / per_block, task % per_block);
  }

  void pull_back(Projected<T>& sample, T* gradient, std::int64_t blocks, std::int64_t columns) {
#pragma omp for
    for (std::int64_t chunk = 0; chunk < chunks(sample.rows); ++chunk)
      for (std::int64_t b = 0; b < blocks; ++b)
        sample.pull_back(gradient, call_.d, directions_, b, chunk, columns - b * block_columns);
  }

  // Projections of y become their sorted values; of Indexed items the rows are kept too.
  template <class Item>
  void sort_other(std::int64_t blocks) {
    if constexpr (sizeof(T) == 4) {
      if (network_) return sort_other_by<network_width<Item>, Item>(blocks);
      if (!has_row<Item>::value && v_.rows <= longest_for_network<Item>) return sort_long(blocks);
    }
    sort_other_by<1, Item>(blocks);
  }

  void sort_long(std::int64_t blocks) {
#pragma omp for schedule(dynamic)
    for (std::int64_t task = 0; task < blocks * block_columns / lanes<T>; ++task) {
      const std::int64_t c = task * lanes<T>;
      sort_long_columns(v_.column(c / block_columns, int(c % block_columns)), v_.pitch, v_.rows, scratch());
    }
  }

  template <int width, class Item>
  void sort_other_by(std::int64_t blocks) {
    const std::int64_t stride = v_.stride();
#pragma omp for schedule(dynamic)
    for (std::int64_t task = 0; task < blocks * block_columns / width; ++task) {
      const std::int64_t c = task * width;
      T* values = v_.column(c / block_columns, int(c % block_columns));
      std::uint32_t* rows = v_rows_.data() + (values - v_.data.data());
      const auto put = [=](std::int64_t at, const Item& item) {
        values[at] = item.value();
        if constexpr (has_row<Item>::value) rows[at] = item.row();
      };
      if constexpr (width == 1) {
        radix_sort(values, v_.rows, static_cast<Item*>(scratch()), static_cast<Item*>(scratch()) + v_.rows, put);
      } else {
        const Item* sorted = sort_columns<width>(values, v_.rows, stride, static_cast<Item*>(scratch()));
        for (std::int64_t j = 0; j < v_.rows; ++j)
          for (int k = 0; k < width; ++k) put(j * stride + k, sorted[j * width + k]);
      }
    }
  }

  // Projections of x and y become the derivatives of the value by them.
  template <class Item>
  void sort_and_compare(std::int64_t first, std::int64_t blocks, const T* means) {
    if constexpr (sizeof(T) == 4) {
      if (network_) return sort_and_compare_by<network_width<Item>, Item>(first, blocks, means);
    }
    sort_and_compare_by<1, Item>(first, blocks, means);
  }

  template <int width, class Item>
  void sort_and_compare_by(std::int64_t first, std::int64_t blocks, const T* means) {
    const std::int64_t columns = least(blocks * block_columns, call_.count - first);
    const T scale = T(1 / (double(call_.count) * masses()));
#pragma omp for schedule(dynamic)
    for (std::int64_t task = 0; task < (columns + width - 1) / width; ++task) {
      const std::int64_t c = task * width, b = c / block_columns;
      T* x = u_.column(b, int(c % block_columns));
      T* y = call_.normal ? nullptr : v_.column(b, int(c % block_columns));
      T* coefficients_y = call_.gradient_y ? y : nullptr;
      const int valid = int(least(width, columns - c));
      sums_[first + c] =
          call_.normal
              ? cost<width, Item>(x, Shared<T>{means, x, u_.stride()}, scale, valid)
              : cost<width, Item>(x, Columns<T>{y, coefficients_y, v_.stride(), x, u_.stride()}, scale, valid);
      if (coefficients_y) scatter_other<width>(y);
    }
  }

  template <int width, class Item, class To>
  double cost(const T* x, const To& to, T scale, int valid) {
    Item* items = static_cast<Item*>(scratch());
    if constexpr (width == 1) {
      if (call_.n == call_.m) return sort_and_pair(x, call_.n, to, call_.p, scale, items);
    }
    const Item* sorted = sort_columns<width>(x, call_.n, u_.stride(), items);
    return compare<width, T>(sorted, call_.n, call_.m, to, call_.p, scale, valid);
  }

  // Derivatives by the sorted projections of y go to the points.
  template <int width>
  void scatter_other(T* values) {
    const std::int64_t stride = v_.stride();
    T* sorted = static_cast<T*>(scratch());
    const std::uint32_t* rows = v_rows_.data() + (values - v_.data.data());
    for (std::int64_t j = 0; j < v_.rows; ++j)
      for (int k = 0; k < width; ++k) sorted[j * width + k] = values[j * stride + k];
    for (std::int64_t j = 0; j < v_.rows; ++j)
      for (int k = 0; k < width; ++k) values[rows[j * stride + k] * stride + k] = sorted[j * width + k];
  }
};

template <class T>
void sliced_of(const SlicedCall& call) {
  const std::int64_t longest = call.n > call.m ? call.n : call.m;
  const std::int64_t wanted = least(call.threads, (call.count + block_columns - 1) / block_columns);
  const std::int64_t affordable = group_budget / (longest * block_columns);
  Sliced<T> run(call, least(wanted, affordable < 1 ? 1 : affordable));
  const std::int64_t y_size = call.normal ? call.m : call.m * call.d;
  for (std::int64_t i = 0; i < call.batch; ++i) {
    T* gradient_x = static_cast<T*>(call.gradient_x);
    T* gradient_y = static_cast<T*>(call.gradient_y);
    run.run(static_cast<const T*>(call.x) + i * call.n * call.d, static_cast<const T*>(call.y) + i * y_size,
            static_cast<const T*>(call.projections) + (call.shared ? 0 : i * call.d * call.count),
            static_cast<T*>(call.value) + i, gradient_x ? gradient_x + i * call.n * call.d : nullptr,
            gradient_y ? gradient_y + i * y_size : nullptr);
  }
}

void sliced_any(bool float64, const SlicedCall& call) {
  if (float64)
    sliced_of<double>(call);
  else
    sliced_of<float>(call);
}

// In groups of as many columns as the network takes; the missing ones of the last group are filled with zeros.
template <int width, class Item, class T>
void sort_group(T* values, std::int64_t rows, std::int64_t columns, std::int64_t first, std::int64_t* order) {
  Workspace<char> scratch(sort_scratch<T>(rows));
  Workspace<T> group(rows * width);
  const int count = int(least(width, columns - first));
  for (std::int64_t i = 0; i < rows; ++i)
    for (int c = 0; c < width; ++c) group[i * width + c] = c < count ? values[i * columns + first + c] : T(0);
  const Item* sorted = sort_columns<width>(group.data(), rows, width, reinterpret_cast<Item*>(scratch.data()));
  for (std::int64_t i = 0; i < rows; ++i)
    for (int c = 0; c < count; ++c) {
      values[i * columns + first + c] = sorted[i * width + c].value();
      if constexpr (has_row<Item>::value) order[i * columns + first + c] = sorted[i * width + c].row();
    }
}

template <class Item, class T>
void sort_all(T* values, std::int64_t rows, std::int64_t columns, std::int64_t* order) {
  constexpr int width = sizeof(T) == 4 ? network_width<Item> : 1;
  const bool network = rows <= longest_for_network<Item>;
  for (std::int64_t first = 0; first < columns; first += network ? width : 1)
    if (network)
      sort_group<width, Item>(values, rows, columns, first, order);
    else
      sort_group<1, Item>(values, rows, columns, first, order);
}

template <class T>
void sort_of(T* values, std::int64_t rows, std::int64_t columns, std::int64_t* order) {
  if (order)
    sort_all<Indexed<T>>(values, rows, columns, order);
  else
    sort_all<Plain<T>>(values, rows, columns, order);
}

void sort_any(bool float64, void* values, std::int64_t rows, std::int64_t columns, std::int64_t* order) {
  if (float64)
    sort_of(static_cast<double*>(values), rows, columns, order);
  else
    sort_of(static_cast<float*>(values), rows, columns, order);
}

}  // namespace

void epps_pulley_any(bool float64, const EppsPulleyCall& call);  // epps_pulley.cpp

extern const SlicedTable sliced{sliced_any, epps_pulley_any, sort_any};

}  // namespace fastlatent::FASTLATENT_ISA
