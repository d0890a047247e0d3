// fastlatent._native.sliced, epps_pulley and sort_columns: addresses and sizes from Python to the table of the
// instruction set in use.
#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include "sliced/cpu.hpp"

namespace nb = nanobind;

namespace fastlatent {
namespace {

using Address = std::uintptr_t;

void* pointer(Address address) { return reinterpret_cast<void*>(address); }

void sliced(bool float64, double p, bool normal, Address x, Address y, Address projections, bool shared,
            std::int64_t batch, std::int64_t n, std::int64_t m, std::int64_t d, std::int64_t count, Address value,
            Address gradient_x, Address gradient_y, int threads) {
  sliced_table().sliced(float64, {p, normal, pointer(x), pointer(y), pointer(projections), shared, batch, n, m, d,
                                  count, pointer(value), pointer(gradient_x), pointer(gradient_y), threads});
}

void epps_pulley(bool float64, const std::vector<double>& points, const std::vector<double>& weights, Address x,
                 Address projections, bool shared, std::int64_t batch, std::int64_t n, std::int64_t d,
                 std::int64_t count, Address value, Address gradient_x, int threads) {
  sliced_table().epps_pulley(float64, {points.data(), weights.data(), std::int64_t(points.size()), pointer(x),
                                       pointer(projections), shared, batch, n, d, count, pointer(value),
                                       pointer(gradient_x), threads});
}

void sort_columns(bool float64, Address values, std::int64_t rows, std::int64_t columns, Address order) {
  sliced_table().sort_columns(float64, pointer(values), rows, columns, static_cast<std::int64_t*>(pointer(order)));
}

}  // namespace

void bind_sliced(nb::module_& m) {
  m.def("sliced", &sliced, nb::call_guard<nb::gil_scoped_release>());
  m.def("epps_pulley", &epps_pulley, nb::call_guard<nb::gil_scoped_release>());
  m.def("sort_columns", &sort_columns, nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace fastlatent
