#pragma once

#include <chrono>
#include <cstdint>

namespace rockllama {

// Milliseconds of a clock that never jumps; only differences mean something.
[[nodiscard]] inline double steady_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Seconds since 1970, with fractions: what the API calls created_at and so on.
[[nodiscard]] inline double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace rockllama
