// fastlatent._native: the pairwise functions, from addresses and sizes to the table of the instruction set in use.
#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include "pairwise/cpu.hpp"

namespace nb = nanobind;

namespace fastlatent {
namespace {

void* pointer(std::uintptr_t address) { return reinterpret_cast<void*>(address); }

void form(int profile, const std::vector<double>& parameters, double weight_xx, double weight_xy, double weight_yy,
          bool diagonal, int scalar, std::uintptr_t x, std::uintptr_t y, std::int64_t batch, std::int64_t n, std::int64_t m,
          std::int64_t d, std::uintptr_t value, std::uintptr_t gradient_x, std::uintptr_t gradient_y, int threads) {
  pairwise_table().form({Profile(profile), parameters.data(), std::int64_t(parameters.size()), weight_xx, weight_xy,
                         weight_yy, diagonal, Scalar(scalar), pointer(x), pointer(y), batch, n, m, d, pointer(value),
                         pointer(gradient_x), pointer(gradient_y), threads});
}

void nearest(int scalar, std::uintptr_t x, std::uintptr_t y, std::int64_t batch, std::int64_t n, std::int64_t m,
             std::int64_t d, std::uintptr_t index, int threads) {
  pairwise_table().nearest({Scalar(scalar), pointer(x), pointer(y), batch, n, m, d,
                            static_cast<std::int64_t*>(pointer(index)), threads});
}

}  // namespace

void bind_pairwise(nb::module_& m) {
  m.def("pairwise_form", &form, nb::call_guard<nb::gil_scoped_release>());
  m.def("pairwise_nearest", &nearest, nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace fastlatent
