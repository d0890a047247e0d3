// Scratch memory of one call: aligned to a cache line, uninitialized, freed at the end of the scope.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#include "native/indexing.hpp"

#ifndef FASTLATENT_ISA
#error "engine sources are compiled once per instruction set, with FASTLATENT_ISA set to its name"
#endif

namespace fastlatent::FASTLATENT_ISA {

template <class T>
class Workspace {
 public:
  explicit Workspace(std::size_t count) {
    const std::size_t bytes = round_up(count * sizeof(T), 64);
    data_ = static_cast<T*>(std::aligned_alloc(64, bytes ? bytes : 64));
    if (!data_) throw std::bad_alloc();
  }
  ~Workspace() { std::free(data_); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }

 private:
  T* data_;
};

}  // namespace fastlatent::FASTLATENT_ISA
