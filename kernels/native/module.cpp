// The Python module fastlatent._native: instruction sets, and one binding function per engine.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "native/isa.hpp"

namespace nb = nanobind;

namespace fastlatent {
void bind_pairwise(nb::module_& m);
void bind_sliced(nb::module_& m);
void bind_spectral(nb::module_& m);
}  // namespace fastlatent

NB_MODULE(_native, m) {
  m.doc() = "CPU kernels of fastlatent. Addresses are of contiguous memory, valid for the duration of the call.";
  m.def("isas", &fastlatent::available_isas);
  m.def("isa", [] { return fastlatent::isa_name(fastlatent::current_isa()); });
  m.def("use_isa", &fastlatent::use_isa);
  fastlatent::bind_pairwise(m);
  fastlatent::bind_sliced(m);
  fastlatent::bind_spectral(m);
}
