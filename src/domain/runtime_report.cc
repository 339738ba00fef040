#include "domain/runtime_report.h"

#include <charconv>

namespace rockllama {
namespace {

// What stands between "name: " and the next comma or space; empty where the line has no such name.
std::string_view value_of(std::string_view line, std::string_view name) {
  const size_t at = line.find(name);
  if (at == std::string_view::npos) return {};
  std::string_view rest = line.substr(at + name.size());
  if (!rest.starts_with(": ")) return {};
  rest.remove_prefix(2);
  return rest.substr(0, rest.find_first_of(", \t\r"));
}

void take(std::string_view line, std::string_view name, std::string* value) {
  if (const auto found = value_of(line, name); !found.empty()) *value = found;
}

}  // namespace

void read_runtime_line(std::string_view line, RuntimeReport* report) {
  take(line, "rkllm-runtime version", &report->version);
  take(line, "rknpu driver version", &report->driver_version);
  if (line.find("rkllm-runtime version") != std::string_view::npos) take(line, "platform", &report->platform);
  take(line, "rkllm-toolkit version", &report->toolkit_version);
  const std::string_view limit = value_of(line, "max_context_limit");
  std::from_chars(limit.data(), limit.data() + limit.size(), report->context_limit);
}

bool is_runtime_error(std::string_view line) { return line.find("E rkllm:") != std::string_view::npos; }

}  // namespace rockllama
