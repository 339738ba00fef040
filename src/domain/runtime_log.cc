#include "domain/runtime_log.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string_view>

#include "domain/runtime_report.h"

namespace rockllama {
namespace {

// The number in the brackets directly behind `name`.
std::optional<int64_t> bracketed(std::string_view line, std::string_view name) {
  const size_t at = line.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = line.substr(at + name.size());
  int64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc() || end == rest.data() + rest.size() || *end != ']') return std::nullopt;
  return number;
}

std::optional<ContextRefusal> refusal_in(std::string_view line) {
  const auto asked = bracketed(line, "max_context[");
  const auto limit = bracketed(line, "max_context_limit[");
  if (!asked || !limit) return std::nullopt;
  return ContextRefusal{*asked, *limit};
}

}  // namespace

std::optional<ContextRefusal> context_refusal(const std::vector<std::string>& lines) {
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (const auto refusal = refusal_in(*line)) return refusal;
  }
  return std::nullopt;
}

std::string last_words(const std::vector<std::string>& lines) {
  constexpr size_t kMost = 3;
  std::vector<std::string> words;
  std::ranges::copy_if(lines, std::back_inserter(words), is_runtime_error);
  if (words.empty()) words = lines;
  std::string text;
  for (size_t i = words.size() - std::min(words.size(), kMost); i < words.size(); ++i) {
    text += (text.empty() ? "" : " | ") + words[i];
  }
  return text;
}

}  // namespace rockllama
