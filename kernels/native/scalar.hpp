// The floating types that inputs may have.
#pragma once

#include <cstdint>

namespace fastlatent {

enum class Scalar { float64, float32, bfloat16, float16 };

}  // namespace fastlatent
