// Bindings of the sliced engine: from addresses and sizes to the kernels of the instruction set in use.
#include "native/bindings.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include "sliced/cpu/engine.hpp"

namespace nb = nanobind;

namespace fastlatent {
namespace {

void wasserstein(int dtype, double p, bool normal, Address x, Address y, Address projections, bool shared,
                 std::int64_t batch, std::int64_t n, std::int64_t m, std::int64_t d, std::int64_t count, Address value,
                 Address gradient_x, Address gradient_y, int threads) {
  sliced_table().wasserstein({full_dtype(dtype), p, normal, required("x", x, batch * n * d),
                              required("y", y, normal ? m : batch * m * d),
                              required("projections", projections, (shared ? 1 : batch) * count * d), shared, batch, n,
                              m, d, count, required("value", value, batch), optional(gradient_x), optional(gradient_y),
                              threads});
}

void epps_pulley(int dtype, const std::vector<double>& points, const std::vector<double>& weights, Address x,
                 Address projections, bool shared, std::int64_t batch, std::int64_t n, std::int64_t d,
                 std::int64_t count, Address value, Address gradient_x, int threads) {
  if (points.empty() || points.size() != weights.size()) {
    throw std::invalid_argument("expected one weight for each quadrature point, at least one");
  }
  sliced_table().epps_pulley({full_dtype(dtype), points.data(), weights.data(), std::int64_t(points.size()),
                              required("x", x, batch * n * d),
                              required("projections", projections, (shared ? 1 : batch) * count * d), shared, batch, n,
                              d, count, required("value", value, batch), optional(gradient_x), threads});
}

void sort_columns(int dtype, Address values, std::int64_t rows, std::int64_t columns, Address order) {
  sliced_table().sort_columns({full_dtype(dtype), required("values", values, rows * columns), rows, columns,
                               optional<std::int64_t>(order)});
}

}  // namespace

void bind_sliced(nb::module_& m) {
  const auto without_gil = nb::call_guard<nb::gil_scoped_release>();
  m.def("sliced_wasserstein", &wasserstein, without_gil);
  m.def("sliced_epps_pulley", &epps_pulley, without_gil);
  m.def("sliced_sort_columns", &sort_columns, without_gil);
}

}  // namespace fastlatent
