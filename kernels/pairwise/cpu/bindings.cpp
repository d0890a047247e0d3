// Bindings of the pairwise engine: from addresses and sizes to the kernels of the instruction set in use.
#include "native/bindings.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include "pairwise/cpu/engine.hpp"

namespace nb = nanobind;

namespace fastlatent {
namespace {

// Profile of an index into PROFILES of launch.py, with as many parameters as it reads.
Profile profile_with(int index, std::size_t parameter_count) {
  if (index < 0 || index > static_cast<int>(Profile::polynomial)) throw std::invalid_argument("unknown profile");
  const Profile profile = static_cast<Profile>(index);
  bool valid = parameter_count > 0;
  if (profile == Profile::energy) valid = true;
  if (profile == Profile::kummer) valid = parameter_count >= 4 && parameter_count <= 2 + 2 * max_kummer_terms;
  if (profile == Profile::polynomial) valid = parameter_count == 3;
  if (!valid) throw std::invalid_argument("a profile with " + std::to_string(parameter_count) + " parameters");
  return profile;
}

void sum(int profile, const std::vector<double>& parameters, double weight_xx, double weight_xy, double weight_yy,
         bool diagonal, int dtype, Address x, Address y, std::int64_t batch, std::int64_t n, std::int64_t m,
         std::int64_t d, Address value, Address gradient_x, Address gradient_y, int threads) {
  pairwise_table().sum({profile_with(profile, parameters.size()), parameters.data(), std::int64_t(parameters.size()),
                        weight_xx, weight_xy, weight_yy, diagonal, any_dtype(dtype), required("x", x, batch * n * d),
                        required("y", y, batch * m * d), batch, n, m, d, required("value", value, batch),
                        optional(gradient_x), optional(gradient_y), threads});
}

void nearest(int dtype, Address x, Address y, std::int64_t batch, std::int64_t n, std::int64_t m, std::int64_t d,
             Address index, int threads) {
  pairwise_table().nearest({any_dtype(dtype), required("x", x, batch * n * d), required("y", y, batch * m * d), batch,
                            n, m, d, required<std::int64_t>("index", index, batch * n), threads});
}

}  // namespace

void bind_pairwise(nb::module_& m) {
  const auto without_gil = nb::call_guard<nb::gil_scoped_release>();
  m.def("pairwise_sum", &sum, without_gil);
  m.def("pairwise_nearest", &nearest, without_gil);
}

}  // namespace fastlatent
