// What a machine is, as far as the runtime's speed and health depend on it: plain facts, read once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rockllama::doctor {

struct NpuDriver {
  bool present = false;    // the kernel has the driver
  std::string version{};   // "0.9.8"; empty = not known
  bool forbidden = false;  // the version is there but may not be read
};

enum class ClockKind : uint8_t { kCpu, kNpu, kDdr };
struct Clock {
  ClockKind kind = ClockKind::kCpu;
  std::string name;  // "policy4", "fdab0000.npu", "dmc"
  std::string governor{};
  uint64_t now_hz = 0;   // 0 = not known
  uint64_t most_hz = 0;  // what the hardware can; 0 = not known
};

// A librkllmrt.so as bytes alone: it is never opened as a library here.
struct RuntimeFile {
  std::string path;
  std::string origin;     // who names it: "the setting rkllm.library", "RKLLM_LIB_PATH", ...
  bool exists = false;    // and can be read
  std::string version{};  // that the file says of itself; empty = none was found
};

struct Machine {
  std::string board{};  // of the device tree; empty = there is none
  std::string soc{};    // "rk3588"; empty = not known
  std::string processor{};
  NpuDriver npu{};
  std::vector<Clock> clocks{};
  uint64_t memory_bytes = 0;
  uint64_t available_bytes = 0;
  uint64_t swap_bytes = 0;
  uint64_t swap_free_bytes = 0;
  uint64_t descriptors = 0;       // that this process may have open; 0 = not known
  uint64_t descriptors_most = 0;  // to which it may raise that by itself
  std::optional<RuntimeFile> runtime{};
};

struct FlashSpeed {
  double write_bytes_per_s = 0;
  double read_bytes_per_s = 0;
};

}  // namespace rockllama::doctor
