#include "native/isa.hpp"

#include <cstdlib>
#include <stdexcept>

namespace fastlatent {
namespace {

const char* const names[] = {"baseline", "avx2", "avx512"};

bool available(Isa isa) {
#if defined(__x86_64__)
  switch (isa) {
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && available(Isa::avx2);
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    default:
      return true;
  }
#else
  return isa == Isa::baseline;
#endif
}

Isa parse(const std::string& name) {
  for (Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512})
    if (name == isa_name(isa) && available(isa)) return isa;
  std::string known;
  for (const auto& other : available_isas()) known += (known.empty() ? "" : ", ") + other;
  throw std::invalid_argument("instruction set '" + name + "' is not available here; available: " + known);
}

Isa initial() {
  if (const char* forced = std::getenv("FASTLATENT_CPU_ISA")) return parse(forced);
  for (Isa isa : {Isa::avx512, Isa::avx2})
    if (available(isa)) return isa;
  return Isa::baseline;
}

Isa& selected() {
  static Isa isa = initial();
  return isa;
}

}  // namespace

std::string isa_name(Isa isa) { return names[static_cast<int>(isa)]; }

std::vector<std::string> available_isas() {
  std::vector<std::string> found;
  for (Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512})
    if (available(isa)) found.push_back(isa_name(isa));
  return found;
}

Isa current_isa() { return selected(); }
void use_isa(const std::string& name) { selected() = parse(name); }

}  // namespace fastlatent
