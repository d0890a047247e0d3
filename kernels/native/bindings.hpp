// Conversion of the arguments of fastlatent._native: addresses to pointers, integers to dtypes.
#pragma once

#include <cstdint>
#include <stdexcept>

#include "native/dtype.hpp"

namespace fastlatent {

using Address = std::uintptr_t;  // Tensor.data_ptr(); 0 for an output that is not needed

template <class T = void>
inline T* pointer(Address address) {
  return reinterpret_cast<T*>(address);
}

// Dtype of an index into DTYPES of native/__init__.py.
inline Dtype any_dtype(int index) {
  if (index < 0 || index > static_cast<int>(Dtype::float16)) throw std::invalid_argument("unknown dtype");
  return static_cast<Dtype>(index);
}

// The same for engines without half-precision input.
inline Dtype full_dtype(int index) {
  const Dtype dtype = any_dtype(index);
  if (dtype != Dtype::float64 && dtype != Dtype::float32) throw std::invalid_argument("expected float64 or float32");
  return dtype;
}

}  // namespace fastlatent
