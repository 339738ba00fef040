#include "engines/llama_cpp/cpu_threads.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace rockllama {
namespace {

// One number per core; fewer where a core does not say.
std::vector<uint64_t> read_per_core(const std::string& file) {
  std::vector<uint64_t> values;
  for (uint32_t core = 0; core < std::thread::hardware_concurrency(); ++core) {
    std::ifstream stream("/sys/devices/system/cpu/cpu" + std::to_string(core) + file);
    if (uint64_t value = 0; stream >> value) values.push_back(value);
  }
  return values;
}

}  // namespace

uint32_t count_performance_cores(std::span<const uint64_t> capacities) {
  if (capacities.empty()) return 0;
  const uint64_t strongest = *std::max_element(capacities.begin(), capacities.end());
  return static_cast<uint32_t>(std::count_if(capacities.begin(), capacities.end(),
                                             [&](uint64_t capacity) { return capacity * 5 > strongest * 4; }));
}

uint32_t performance_cores() {
  const uint32_t usable = std::max(1u, std::thread::hardware_concurrency());
  for (const char* file : {"/cpu_capacity", "/cpufreq/cpuinfo_max_freq"}) {
    const std::vector<uint64_t> capacities = read_per_core(file);
    if (capacities.size() == usable) return count_performance_cores(capacities);
  }
  return usable;
}

}  // namespace rockllama
