// The Python module fastlatent._native: instruction sets here, one binding function per engine.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "native/isa.hpp"

namespace nb = nanobind;

namespace fastlatent {
void bind_pairwise(nb::module_& m);
void bind_sliced(nb::module_& m);
void bind_spectral(nb::module_& m);
}

NB_MODULE(_native, m) {
  m.doc() = "CPU kernels of fastlatent. Callers pass addresses of contiguous memory that they keep alive.";
  m.def("isas", &fastlatent::available_isas);
  m.def("isa", [] { return fastlatent::isa_name(fastlatent::current_isa()); });
  m.def("use_isa", &fastlatent::use_isa);
  fastlatent::bind_pairwise(m);
  fastlatent::bind_sliced(m);
  fastlatent::bind_spectral(m);
}
