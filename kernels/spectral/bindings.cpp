// fastlatent._native.spectral_*: addresses and sizes from Python to the table of the instruction set in use.
#include <nanobind/nanobind.h>

#include "spectral/cpu.hpp"

namespace nb = nanobind;

namespace fastlatent {
namespace {

void* pointer(std::uintptr_t address) { return reinterpret_cast<void*>(address); }

void frechet(bool float64, std::uintptr_t x, std::uintptr_t y, std::int64_t batch, std::int64_t n, std::int64_t m,
             std::int64_t d, double eps, bool gram, bool iterate, std::uintptr_t value, std::uintptr_t gradient_x,
             std::uintptr_t gradient_y, int threads) {
  spectral_table().frechet({float64, pointer(x), pointer(y), batch, n, m, d, eps, gram, iterate, pointer(value),
                            pointer(gradient_x), pointer(gradient_y), threads});
}

void frechet_normal(bool float64, std::uintptr_t x, std::int64_t batch, std::int64_t n, std::int64_t d, double eps,
                    bool gram, bool iterate, std::uintptr_t value, std::uintptr_t gradient, int threads) {
  spectral_table().frechet({float64, pointer(x), nullptr, batch, n, 0, d, eps, gram, iterate, pointer(value),
                            pointer(gradient), nullptr, threads});
}

void bures(bool float64, std::uintptr_t a, std::uintptr_t b, std::int64_t batch, std::int64_t d, bool iterate,
           std::uintptr_t value, std::uintptr_t gradient_a, std::uintptr_t gradient_b, int threads) {
  spectral_table().bures({float64, pointer(a), pointer(b), batch, d, iterate, pointer(value), pointer(gradient_a),
                          pointer(gradient_b), threads});
}

}  // namespace

void bind_spectral(nb::module_& m) {
  const auto unlocked = nb::call_guard<nb::gil_scoped_release>();
  m.def("spectral_frechet", &frechet, unlocked);
  m.def("spectral_frechet_normal", &frechet_normal, unlocked);
  m.def("spectral_bures", &bures, unlocked);
}

}  // namespace fastlatent
