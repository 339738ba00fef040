// Numbers as responses show them.
#pragma once

#include <cmath>
#include <cstdint>

namespace rockllama::api {

// `ms` or tokens per second, to one decimal.
[[nodiscard]] inline double tenths(double value) { return std::round(value * 10) / 10; }

// MB = bytes / 1048576, to two decimals.
[[nodiscard]] inline double megabytes(uint64_t bytes) {
  return std::round(static_cast<double>(bytes) / 1048576 * 100) / 100;
}

}  // namespace rockllama::api
