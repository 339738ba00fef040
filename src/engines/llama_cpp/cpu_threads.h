#pragma once

#include <cstdint>
#include <span>

namespace rockllama {

// How many of the cores with these capacities are performance cores: all within a fifth of the strongest. Pure.
[[nodiscard]] uint32_t count_performance_cores(std::span<const uint64_t> capacities);

// Threads to compute with on this machine: its performance cores, as far as this process may use them; at least 1.
// Reads /sys.
[[nodiscard]] uint32_t performance_cores();

}  // namespace rockllama
