// Conversion of the arguments of fastlatent._native: addresses to pointers, integers to dtypes.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "native/dtype.hpp"

namespace fastlatent {

using Address = std::uintptr_t;  // Tensor.data_ptr()

// Pointer to a gradient, null if it is not needed.
template <class T = void>
inline T* optional(Address address) {
  return reinterpret_cast<T*>(address);
}

// Pointer to an array of `size` elements.
template <class T = void>
inline T* required(const char* name, Address address, std::int64_t size) {
  if (size < 0) throw std::invalid_argument(std::string("negative size of ") + name);
  if (address == 0 && size > 0) throw std::invalid_argument(std::string(name) + " has no memory: null address");
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
