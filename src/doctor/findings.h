// What facts mean, and what to do about it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "doctor/machine.h"

namespace rockllama::doctor {

enum class Level : uint8_t {
  kGood,
  kNote,     // is not there, and need not be
  kWarning,  // works, but slower or less than it could
  kProblem,  // something will not work
};
[[nodiscard]] const char* to_string(Level level);  // ok, note, warning, problem

struct Finding {
  std::string subject;  // "npu driver"
  Level level = Level::kGood;
  std::string what;
  std::string advice{};  // what to do; empty = nothing
};

// Of the machine itself: SoC, NPU driver, runtime, clocks, memory, swap, descriptors. On a machine without Rockchip's
// parts their absence is a note.
[[nodiscard]] std::vector<Finding> machine_findings(const Machine& machine);
// Of the device that holds the caches.
[[nodiscard]] Finding flash_finding(const std::string& folder, const Result<FlashSpeed>& speed);

// Of the NPU.
inline constexpr std::string_view kWantedDriver = "0.9.8";

// Whether version `a` is older than `b`, by their numbers: "0.9.6" before "0.9.8".
[[nodiscard]] bool is_older(std::string_view a, std::string_view b);

}  // namespace rockllama::doctor
