#include "sliced/cpu.hpp"
#include "native/vector.hpp"
namespace fastlatent::FASTLATENT_ISA {
void epps_pulley_any(bool, const EppsPulleyCall&) {}
}
