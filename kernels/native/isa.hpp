// Which instruction set the engines run on: each engine is compiled once per set into a namespace of that name.
#pragma once

#include <string>
#include <vector>

namespace fastlatent {

enum class Isa { baseline, avx2, avx512 };

// The sets that were compiled in and that this processor has, weakest first.
std::vector<std::string> available_isas();

// The set in use: the best available one, or what FASTLATENT_CPU_ISA or use_isa names.
Isa current_isa();
std::string isa_name(Isa isa);
void use_isa(const std::string& name);  // throws std::invalid_argument for one that is not available

// An engine declares its table of functions once per instruction set and picks one per call.
#if defined(__x86_64__) || defined(_M_X64)
#define FASTLATENT_DECLARE_TABLE(Type, name) \
  namespace baseline { extern const Type name; } \
  namespace avx2 { extern const Type name; } \
  namespace avx512 { extern const Type name; } \
  inline const Type& name##_table() { \
    switch (current_isa()) { \
      case Isa::avx512: return avx512::name; \
      case Isa::avx2: return avx2::name; \
      default: return baseline::name; \
    } \
  }
#else
#define FASTLATENT_DECLARE_TABLE(Type, name) \
  namespace baseline { extern const Type name; } \
  inline const Type& name##_table() { return baseline::name; }
#endif

}  // namespace fastlatent
