#include "native/isa.hpp"

#include <cstdlib>
#include <stdexcept>

namespace fastlatent {
namespace {

struct Entry {
  Isa isa;
  const char* name;
  bool available;
};

#define FASTLATENT_ISA_ENTRY(isa, ...) {Isa::isa, #isa, FASTLATENT_CPU_HAS_##isa},
const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = {FASTLATENT_FOR_EACH_ISA(FASTLATENT_ISA_ENTRY, )};
  return all;
}
#undef FASTLATENT_ISA_ENTRY

Isa parse(const std::string& name) {
  for (const Entry& entry : entries())
    if (entry.available && name == entry.name) return entry.isa;
  std::string names;
  for (const auto& available : available_isas()) names += (names.empty() ? "" : ", ") + available;
  throw std::invalid_argument("instruction set '" + name + "' is not available here; available: " + names);
}

Isa initial() {
  if (const char* forced = std::getenv("FASTLATENT_CPU_ISA")) return parse(forced);
  return parse(available_isas().back());
}

Isa& selected() {
  static Isa isa = initial();
  return isa;
}

}  // namespace

std::string isa_name(Isa isa) { return entries()[static_cast<int>(isa)].name; }

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const Entry& entry : entries())
    if (entry.available) names.push_back(entry.name);
  return names;
}

Isa current_isa() { return selected(); }
void use_isa(const std::string& name) { selected() = parse(name); }

}  // namespace fastlatent
