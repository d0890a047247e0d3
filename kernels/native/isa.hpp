// Choice of the instruction set: each engine is compiled once per set, into a namespace of that name.
#pragma once

#include <string>
#include <vector>

#include "native/isa_list.hpp"

namespace fastlatent {

#define FASTLATENT_ISA_ENUMERATOR(isa, ...) isa,
enum class Isa { FASTLATENT_FOR_EACH_ISA(FASTLATENT_ISA_ENUMERATOR, ) };
#undef FASTLATENT_ISA_ENUMERATOR

// Compiled sets that this CPU supports, weakest first.
std::vector<std::string> available_isas();

// The set in use: the best available one, unless FASTLATENT_CPU_ISA or use_isa names another.
Isa current_isa();
std::string isa_name(Isa isa);
void use_isa(const std::string& name);  // throws std::invalid_argument for a set that is not available

#define FASTLATENT_DECLARE_IN_ISA(isa, Type, name) \
  namespace isa { extern const Type name; }
#define FASTLATENT_ADDRESS_IN_ISA(isa, Type, name) &isa::name,

// Declares an engine's table of functions in the namespace of each instruction set, and name##_table(), which returns
// the table of the set in use.
#define FASTLATENT_DECLARE_TABLE(Type, name) \
  FASTLATENT_FOR_EACH_ISA(FASTLATENT_DECLARE_IN_ISA, Type, name) \
  inline const Type& name##_table() { \
    static const Type* const tables[] = {FASTLATENT_FOR_EACH_ISA(FASTLATENT_ADDRESS_IN_ISA, Type, name)}; \
    return *tables[static_cast<int>(current_isa())]; \
  }

}  // namespace fastlatent
