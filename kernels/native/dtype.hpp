// Floating-point types of the inputs.
#pragma once

namespace fastlatent {

// In the order of DTYPES in native/__init__.py.
enum class Dtype { float64, float32, bfloat16, float16 };

}  // namespace fastlatent
