// Bindings of the pairwise engine: from addresses and sizes to the kernels of the instruction set in use.
#include "native/bindings.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include "pairwise/cpu/engine.hpp"

namespace nb = nanobind;

namespace fastlatent {
namespace {

void sum(int profile, const std::vector<double>& parameters, double weight_xx, double weight_xy, double weight_yy,
         bool diagonal, int dtype, Address x, Address y, std::int64_t batch, std::int64_t n, std::int64_t m,
         std::int64_t d, Address value, Address gradient_x, Address gradient_y, int threads) {
  pairwise_table().sum({Profile(profile), parameters.data(), std::int64_t(parameters.size()), weight_xx, weight_xy,
                        weight_yy, diagonal, any_dtype(dtype), pointer(x), pointer(y), batch, n, m, d, pointer(value),
                        pointer(gradient_x), pointer(gradient_y), threads});
}

void nearest(int dtype, Address x, Address y, std::int64_t batch, std::int64_t n, std::int64_t m, std::int64_t d,
             Address index, int threads) {
  pairwise_table().nearest({any_dtype(dtype), pointer(x), pointer(y), batch, n, m, d, pointer<std::int64_t>(index),
                            threads});
}

}  // namespace

void bind_pairwise(nb::module_& m) {
  const auto without_gil = nb::call_guard<nb::gil_scoped_release>();
  m.def("pairwise_sum", &sum, without_gil);
  m.def("pairwise_nearest", &nearest, without_gil);
}

}  // namespace fastlatent
