#include "domain/runtime_version.h"

#include <algorithm>
#include <cctype>

namespace rockllama {
namespace {

constexpr std::string_view kMarks[] = {"RKLLM SDK (version: ", "rkllm-runtime version: "};
constexpr size_t kLongest = 32;

// "1.2.1b1" of "1.2.1b1 (abc, 2025-05-02)"; empty where no version begins.
std::string_view leading_version(std::string_view text) {
  const auto in_version = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.'; };
  const auto length =
      std::find_if_not(text.begin(), text.begin() + std::min(text.size(), kLongest), in_version) - text.begin();
  std::string_view version = text.substr(0, length);
  while (version.ends_with('.')) version.remove_suffix(1);
  const bool numbers = !version.empty() && std::isdigit(static_cast<unsigned char>(version.front())) != 0 &&
                       version.find('.') != std::string_view::npos;
  return numbers ? version : std::string_view();
}

}  // namespace

std::set<std::string> versions_in(std::string_view bytes) {
  std::set<std::string> found;
  for (const std::string_view mark : kMarks) {
    for (size_t at = bytes.find(mark); at != std::string_view::npos; at = bytes.find(mark, at + 1)) {
      const std::string_view version = leading_version(bytes.substr(at + mark.size()));
      if (!version.empty()) found.emplace(version);
    }
  }
  return found;
}

}  // namespace rockllama
