#include "doctor/machine_reader.h"

#include <algorithm>
#include <string_view>

#include "doctor/runtime_file.h"
#include "doctor/small_files.h"

namespace rockllama::doctor {
namespace {

// "radxa,rock-5b", "rockchip,rk3588": strings with a NUL after each, the chip last.
std::string chip_of(std::string_view compatible) {
  constexpr std::string_view kVendor = "rockchip,";
  const size_t at = compatible.rfind(kVendor);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = compatible.substr(at + kVendor.size());
  return std::string(rest.substr(0, rest.find('\0')));
}

void read_board(const std::string& root, Machine* machine) {
  for (const char* tree : {"/proc/device-tree", "/sys/firmware/devicetree/base"}) {
    const std::string folder = root + tree;
    if (machine->board.empty()) machine->board = read_line(folder + "/model");
    if (machine->soc.empty()) machine->soc = chip_of(read_start(folder + "/compatible").value_or(""));
  }
}

// The value behind "name<space>: " in /proc/cpuinfo and /proc/meminfo.
std::string value_of(std::string_view text, std::string_view name) {
  for (size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    if (at != 0 && text[at - 1] != '\n') continue;
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos) return std::string(trimmed(line.substr(colon + 1)));
  }
  return "";
}

void read_memory(const std::string& root, Machine* machine) {
  const std::string text = read_start(root + "/proc/meminfo").value_or("");
  const auto bytes = [&](const char* name) { return leading_number(value_of(text, name)) << 10; };
  machine->memory_bytes = bytes("MemTotal");
  machine->available_bytes = bytes("MemAvailable");
  machine->swap_bytes = bytes("SwapTotal");
  machine->swap_free_bytes = bytes("SwapFree");
}

// "Max open files  1024  1048576  files"
void read_descriptor_limit(const std::string& root, Machine* machine) {
  constexpr std::string_view kTitle = "Max open files";
  const std::string text = read_start(root + "/proc/self/limits").value_or("");
  const size_t at = text.find(kTitle);
  if (at == std::string::npos) return;
  const std::string_view rest = trimmed(std::string_view(text).substr(at + kTitle.size()));
  machine->descriptors = leading_number(rest);
  machine->descriptors_most = leading_number(rest.substr(std::min(rest.find(' '), rest.size())));
}

// "RKNPU driver: v0.9.8" or "0.9.8"
std::string version_in(std::string_view text) {
  const size_t begin = text.find_first_of("0123456789");
  if (begin == std::string_view::npos) return "";
  const std::string_view rest = text.substr(begin);
  return std::string(rest.substr(0, rest.find_first_not_of("0123456789.")));
}

NpuDriver read_npu_driver(const std::string& root) {
  NpuDriver driver;
  for (const char* file : {"/sys/kernel/debug/rknpu/version", "/proc/rknpu/version", "/sys/module/rknpu/version"}) {
    driver.version = version_in(read_line(root + file));
    if (!driver.version.empty()) break;
  }
  driver.present =
      !driver.version.empty() || exists(root + "/sys/module/rknpu") || exists(root + "/sys/bus/platform/drivers/RKNPU");
  driver.forbidden = driver.present && driver.version.empty() && names_in(root + "/sys/kernel/debug").empty();
  return driver;
}

void read_cpu_clocks(const std::string& root, std::vector<Clock>* clocks) {
  const std::string folder = root + "/sys/devices/system/cpu/cpufreq/";
  for (const std::string& policy : names_in(folder)) {
    if (!policy.starts_with("policy")) continue;
    const std::string path = folder + policy;
    clocks->push_back({.kind = ClockKind::kCpu,
                       .name = policy,
                       .governor = read_line(path + "/scaling_governor"),
                       .now_hz = read_number(path + "/scaling_cur_freq") * 1000,
                       .most_hz = read_number(path + "/cpuinfo_max_freq") * 1000});
  }
}

// max_freq is what somebody allowed; what the hardware can is the largest of the available ones.
uint64_t most_hz_of(const std::string& device) {
  const std::string text = read_line(device + "/available_frequencies");
  uint64_t most = 0;
  for (size_t at = 0; at < text.size(); at = std::min(text.find(' ', at), text.size() - 1) + 1) {
    most = std::max(most, leading_number(std::string_view(text).substr(at)));
  }
  return most != 0 ? most : read_number(device + "/max_freq");
}

void read_device_clocks(const std::string& root, std::vector<Clock>* clocks) {
  const std::string folder = root + "/sys/class/devfreq/";
  for (const std::string& name : names_in(folder)) {
    const bool npu = name.ends_with("npu");
    if (!npu && name != "dmc") continue;
    const std::string path = folder + name;
    clocks->push_back({.kind = npu ? ClockKind::kNpu : ClockKind::kDdr,
                       .name = name,
                       .governor = read_line(path + "/governor"),
                       .now_hz = read_number(path + "/cur_freq"),
                       .most_hz = most_hz_of(path)});
  }
}

}  // namespace

Machine read_machine(const MachineSources& sources) {
  const std::string& root = sources.root;
  Machine machine;
  read_board(root, &machine);
  machine.processor = value_of(read_start(root + "/proc/cpuinfo").value_or(""), "model name");
  machine.npu = read_npu_driver(root);
  read_cpu_clocks(root, &machine.clocks);
  read_device_clocks(root, &machine.clocks);
  read_memory(root, &machine);
  read_descriptor_limit(root, &machine);
  machine.runtime = find_runtime(sources);
  return machine;
}

}  // namespace rockllama::doctor
