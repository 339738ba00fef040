// What an RKLLM runtime says of itself and of the model in the lines that it writes while it loads. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rockllama {

struct RuntimeReport {
  std::string version{};          // of the runtime; empty = it did not say
  std::string driver_version{};   // of the NPU
  std::string platform{};         // "RK3588"
  std::string toolkit_version{};  // that converted the model
  uint32_t context_limit = 0;     // of the model; 0 = it did not say
  bool operator==(const RuntimeReport&) const = default;
};

// Adds what a line says, as in "I rkllm: rkllm-runtime version: 1.2.1, rknpu driver version: 0.9.8, platform: RK3588".
void read_runtime_line(std::string_view line, RuntimeReport* report);
// Whether the line reports an error of the runtime: "E rkllm: ...".
[[nodiscard]] bool is_runtime_error(std::string_view line);

}  // namespace rockllama
