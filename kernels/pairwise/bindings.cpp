// fastlatent._native.pairwise_form: addresses and sizes from Python to the table of the instruction set in use.
#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include "pairwise/cpu.hpp"

namespace nb = nanobind;

namespace fastlatent {
namespace {

void* pointer(std::uintptr_t address) { return reinterpret_cast<void*>(address); }

void pairwise_form(Profile profile, const std::vector<double>& parameters, double weight_xx, double weight_xy,
                   double weight_yy, Scalar scalar, std::uintptr_t x, std::uintptr_t y, std::int64_t batch,
                   std::int64_t n, std::int64_t m, std::int64_t d, std::uintptr_t value, std::uintptr_t gradient_x,
                   std::uintptr_t gradient_y, int threads) {
  nb::gil_scoped_release unlocked;
  pairwise_table().form({profile, parameters.data(), std::int64_t(parameters.size()), weight_xx, weight_xy, weight_yy,
                         scalar, pointer(x), pointer(y), batch, n, m, d, pointer(value), pointer(gradient_x),
                         pointer(gradient_y), threads});
}

}  // namespace

void bind_pairwise(nb::module_& m) {
  m.def("pairwise_form", [](int profile, const std::vector<double>& parameters, double weight_xx, double weight_xy,
                            double weight_yy, int scalar, std::uintptr_t x, std::uintptr_t y, std::int64_t batch,
                            std::int64_t n, std::int64_t m, std::int64_t d, std::uintptr_t value,
                            std::uintptr_t gradient_x, std::uintptr_t gradient_y, int threads) {
    pairwise_form(Profile(profile), parameters, weight_xx, weight_xy, weight_yy, Scalar(scalar), x, y, batch, n, m, d,
                  value, gradient_x, gradient_y, threads);
  });
}

}  // namespace fastlatent
