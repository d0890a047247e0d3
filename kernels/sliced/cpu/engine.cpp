// The sliced engine on the CPU: Wasserstein distances and the Epps–Pulley statistic of projections.
#include "sliced/cpu/engine.hpp"

#include "native/dtype_dispatch.hpp"
#include "sliced/cpu/epps_pulley.hpp"
#include "sliced/cpu/wasserstein.hpp"

namespace fastlatent::FASTLATENT_ISA {
namespace {

// Sorts a group of `width` columns, as many as the network sorts at once; the last group is filled up with zeros.
template <int width, class Item, class T>
void sort_group(T* values, const ColumnSort& call, std::int64_t first) {
  Workspace<char> scratch(sort_scratch<T>(call.rows));
  Workspace<T> group(call.rows * width);
  const std::int64_t columns = call.columns, count = min(width, columns - first);
  for (std::int64_t i = 0; i < call.rows; ++i)
    for (int c = 0; c < width; ++c) group[i * width + c] = c < count ? values[i * columns + first + c] : T(0);
  const Item* sorted = sort_columns<width>(group.data(), call.rows, width, reinterpret_cast<Item*>(scratch.data()));
  for (std::int64_t i = 0; i < call.rows; ++i)
    for (int c = 0; c < count; ++c) {
      values[i * columns + first + c] = sorted[i * width + c].value();
      if constexpr (has_row<Item>::value) call.order[i * columns + first + c] = sorted[i * width + c].row();
    }
}

template <class Item, class T>
void sort_items(T* values, const ColumnSort& call) {
  constexpr int width = sizeof(T) == 4 ? network_width<Item> : 1;
  const bool network = call.rows <= max_network_rows<Item>;
  for (std::int64_t first = 0; first < call.columns; first += network ? width : 1)
    network ? sort_group<width, Item>(values, call, first) : sort_group<1, Item>(values, call, first);
}

void sort(const ColumnSort& call) {
  with_full_dtype(call.dtype, [&](auto zero) {
    using T = decltype(zero);
    T* values = static_cast<T*>(call.values);
    call.order ? sort_items<IndexedKey<T>>(values, call) : sort_items<PlainKey<T>>(values, call);
  });
}

void wasserstein(const SlicedWasserstein& call) {
  with_full_dtype(call.dtype, [&](auto zero) { wasserstein_of_batch<decltype(zero)>(call); });
}

void epps_pulley(const EppsPulleyStatistic& call) {
  with_full_dtype(call.dtype, [&](auto zero) { epps_pulley_of_batch<decltype(zero)>(call); });
}

}  // namespace

extern const SlicedKernels sliced{wasserstein, epps_pulley, sort};

}  // namespace fastlatent::FASTLATENT_ISA
