// Bindings of the spectral engine: from addresses and sizes to the kernels of the instruction set in use.
#include "native/bindings.hpp"

#include <nanobind/nanobind.h>

#include "spectral/cpu/engine.hpp"

namespace nb = nanobind;

namespace fastlatent {
namespace {

void frechet(int dtype, Address x, Address y, std::int64_t batch, std::int64_t n, std::int64_t m, std::int64_t d,
             double eps, bool gram, bool iterate, Address value, Address gradient_x, Address gradient_y, int threads) {
  spectral_table().frechet({full_dtype(dtype), required("x", x, batch * n * d), required("y", y, batch * m * d), batch,
                            n, m, d, eps, gram, iterate, required("value", value, batch), optional(gradient_x),
                            optional(gradient_y), threads});
}

void frechet_normal(int dtype, Address x, std::int64_t batch, std::int64_t n, std::int64_t d, double eps, bool gram,
                    bool iterate, Address value, Address gradient, int threads) {
  spectral_table().frechet({full_dtype(dtype), required("x", x, batch * n * d), nullptr, batch, n, 0, d, eps, gram,
                            iterate, required("value", value, batch), optional(gradient), nullptr, threads});
}

void bures(int dtype, Address a, Address b, std::int64_t batch, std::int64_t d, bool iterate, Address value,
           Address gradient_a, Address gradient_b, int threads) {
  spectral_table().bures({full_dtype(dtype), required("a", a, batch * d * d), required("b", b, batch * d * d), batch, d,
                          iterate, required("value", value, batch), optional(gradient_a), optional(gradient_b),
                          threads});
}

}  // namespace

void bind_spectral(nb::module_& m) {
  const auto without_gil = nb::call_guard<nb::gil_scoped_release>();
  m.def("spectral_frechet", &frechet, without_gil);
  m.def("spectral_frechet_normal", &frechet_normal, without_gil);
  m.def("spectral_bures", &bures, without_gil);
}

}  // namespace fastlatent
