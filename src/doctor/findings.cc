#include "doctor/findings.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "doctor/small_files.h"

namespace rockllama::doctor {
namespace {

constexpr std::array<std::string_view, 4> kNpuChips = {"rk3588", "rk3576", "rk3562", "rv1126b"};
// Connections, state files and the runtime's own; the vendor's programs ask for 102400.
constexpr uint64_t kWantedDescriptors = 8192;
constexpr double kSlowReadBytesPerS = 100e6;

template <class... Values>
std::string formatted(const char* format, Values... values) {
  char text[160];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

double gib(uint64_t bytes) { return static_cast<double>(bytes) / (1u << 30); }

bool is_board(const Machine& machine) { return !machine.soc.empty(); }

bool has_npu(const Machine& machine) {
  return std::any_of(kNpuChips.begin(), kNpuChips.end(),
                     [&](std::string_view chip) { return machine.soc.starts_with(chip); });
}

Finding soc_finding(const Machine& machine) {
  if (!is_board(machine)) {
    const std::string name = machine.processor.empty() ? "" : " (" + machine.processor + ")";
    return {"soc", Level::kNote, "no Rockchip chip" + name + ": GGUF models run on the CPU, .rkllm models cannot run",
            "nothing to do, unless this should be a board with RK3588, RK3576, RK3562 or RV1126B"};
  }
  const std::string what = machine.soc + (machine.board.empty() ? "" : ", " + machine.board);
  if (has_npu(machine)) return {"soc", Level::kGood, what};
  return {"soc", Level::kWarning, what + ": the RKLLM runtime does not know this chip",
          "serve GGUF models; they run on the CPU"};
}

Finding driver_finding(const Machine& machine) {
  const NpuDriver& driver = machine.npu;
  const std::string subject = "npu driver";
  if (!driver.present) {
    if (!has_npu(machine)) return {subject, Level::kNote, "none"};
    return {subject, Level::kProblem, "the kernel has no rknpu driver",
            "install a system image with the vendor's kernel (5.10 or 6.1) and driver 0.9.8 or later"};
  }
  if (driver.version.empty()) {
    const char* why = driver.forbidden ? "its version may not be read" : "its version is not known";
    return {subject, Level::kWarning, why,
            "ask with: sudo cat /sys/kernel/debug/rknpu/version; 0.9.8 or later is wanted"};
  }
  if (is_older(driver.version, kWantedDriver)) {
    return {subject, Level::kProblem, driver.version + " is older than 0.9.8",
            "update the system image or its kernel package; older drivers fail with \"failed to malloc npu memory\""};
  }
  return {subject, Level::kGood, driver.version};
}

bool is_known_runtime(std::string_view version) {
  constexpr std::array<std::string_view, 6> kKnown = {"1.2.0", "1.2.1b1", "1.2.1", "1.2.2", "1.2.3", "1.3.0"};
  return version.starts_with("1.1.") || std::find(kKnown.begin(), kKnown.end(), version) != kKnown.end();
}

Finding runtime_finding(const Machine& machine) {
  const std::string subject = "rkllm runtime";
  if (!machine.runtime) {
    if (!has_npu(machine)) return {subject, Level::kNote, "no librkllmrt.so"};
    return {subject, Level::kProblem, "no librkllmrt.so was found",
            "copy it from the vendor's rknn-llm repository to /usr/lib and run ldconfig, or name it in RKLLM_LIB_PATH "
            "(docs/rkllm.md)"};
  }
  const RuntimeFile& runtime = *machine.runtime;
  if (!runtime.exists) {
    return {subject, Level::kProblem, runtime.path + " cannot be read; it is named by " + runtime.origin,
            "correct the path, or put the file there"};
  }
  const std::string place = runtime.path + " (by " + runtime.origin + ")";
  if (runtime.version.empty()) {
    return {subject, Level::kProblem, "no version was found in " + place,
            "use a released librkllmrt.so, or force its version in the settings (docs/rkllm.md)"};
  }
  if (!is_known_runtime(runtime.version)) {
    return {subject, Level::kProblem, "version " + runtime.version + " is not known, in " + place,
            "use one of 1.1.x, 1.2.0 to 1.2.3 or 1.3.0 (docs/rkllm.md)"};
  }
  return {subject, Level::kGood, "version " + runtime.version + ", " + place};
}

bool is_slowed(const Clock& clock) {
  return clock.governor != "performance" && (clock.now_hz == 0 || clock.now_hz < clock.most_hz);
}

std::string words_of(const Clock& clock) {
  const std::string speed =
      formatted("%.2f of %.2f GHz", static_cast<double>(clock.now_hz) / 1e9, static_cast<double>(clock.most_hz) / 1e9);
  return clock.name + " " + (clock.governor.empty() ? "without a governor" : clock.governor) + " " + speed;
}

Finding clock_finding(const Machine& machine, ClockKind kind, const char* subject) {
  std::string what;
  bool slowed = false;
  for (const Clock& clock : machine.clocks) {
    if (clock.kind != kind) continue;
    what += (what.empty() ? "" : "; ") + words_of(clock);
    slowed = slowed || is_slowed(clock);
  }
  const bool board = is_board(machine);
  if (what.empty()) return {subject, Level::kNote, "the kernel shows no such clock"};
  if (!slowed) return {subject, Level::kGood, what};
  if (!board) return {subject, Level::kNote, what, "the governor performance answers a little sooner"};
  return {
      subject, Level::kWarning, what,
      "sudo script/rk3588-clocks performance (and `restore` puts them back); slow clocks cost up to half the speed"};
}

Finding memory_finding(const Machine& machine) {
  if (machine.memory_bytes == 0) return {"memory", Level::kNote, "not known"};
  const std::string what =
      formatted("%.1f GiB, %.1f available", gib(machine.memory_bytes), gib(machine.available_bytes));
  if (machine.available_bytes * 8 >= machine.memory_bytes) return {"memory", Level::kGood, what};
  return {"memory", Level::kWarning, what, "end other programs, or lower models.max_loaded; see `ps aux --sort -rss`"};
}

Finding swap_finding(const Machine& machine) {
  const uint64_t used = machine.swap_bytes - std::min(machine.swap_bytes, machine.swap_free_bytes);
  if (machine.swap_bytes == 0) return {"swap", Level::kGood, "none"};
  const std::string what = formatted("%.1f GiB, %.1f used", gib(machine.swap_bytes), gib(used));
  if (used * 2 < machine.swap_bytes) return {"swap", Level::kGood, what};
  return {"swap", Level::kWarning, what, "memory is short: a model that is swapped out decodes many times slower"};
}

Finding descriptor_finding(const Machine& machine) {
  const uint64_t most = std::max(machine.descriptors, machine.descriptors_most);
  if (most == 0) return {"descriptors", Level::kNote, "not known"};
  const std::string what = "up to " + std::to_string(most) + " open files (the server raises its limit by itself)";
  if (most >= kWantedDescriptors) return {"descriptors", Level::kGood, what};
  return {"descriptors", Level::kWarning, what,
          "raise the hard limit: LimitNOFILE=1048576 in the service, or nofile in /etc/security/limits.conf"};
}

}  // namespace

const char* to_string(Level level) {
  switch (level) {
    case Level::kGood:
      return "ok";
    case Level::kNote:
      return "note";
    case Level::kWarning:
      return "warning";
    case Level::kProblem:
      return "problem";
  }
  return "unknown";
}

std::vector<Finding> machine_findings(const Machine& machine) {
  return {soc_finding(machine),
          driver_finding(machine),
          runtime_finding(machine),
          clock_finding(machine, ClockKind::kCpu, "cpu clocks"),
          clock_finding(machine, ClockKind::kNpu, "npu clock"),
          clock_finding(machine, ClockKind::kDdr, "ddr clock"),
          memory_finding(machine),
          swap_finding(machine),
          descriptor_finding(machine)};
}

Finding flash_finding(const std::string& folder, const Result<FlashSpeed>& speed) {
  if (!speed) {
    const bool absent = speed.error().code == ErrorCode::kNotFound;
    return {
        "flash", absent ? Level::kNote : Level::kWarning, folder + " was not measured: " + speed.error().message,
        absent ? "the server makes the folder at its first start" : "free some space, or look at the folder's owner"};
  }
  const std::string what = folder + formatted(": writes %.0f MB/s, reads %.0f MB/s", speed->write_bytes_per_s / 1e6,
                                              speed->read_bytes_per_s / 1e6);
  if (speed->read_bytes_per_s >= kSlowReadBytesPerS) return {"flash", Level::kGood, what};
  return {"flash", Level::kWarning, what, "put cache.folder on eMMC, NVMe or USB 3: an SD card makes states pay less"};
}

bool is_older(std::string_view a, std::string_view b) {
  const auto rest = [](std::string_view version) {
    const size_t dot = version.find('.');
    return dot == std::string_view::npos ? std::string_view() : version.substr(dot + 1);
  };
  for (; !a.empty() || !b.empty(); a = rest(a), b = rest(b)) {
    const uint64_t left = leading_number(a), right = leading_number(b);
    if (left != right) return left < right;
  }
  return false;
}

}  // namespace rockllama::doctor
