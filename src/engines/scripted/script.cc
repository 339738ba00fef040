#include "engines/scripted/script.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace rockllama {
namespace {

struct FaultName {
  std::string_view name;
  FaultKind kind;
};
constexpr std::array<FaultName, 3> kTokenFaults = {{{"crash_on_token", FaultKind::kCrashOnToken},
                                                    {"hang_on_token", FaultKind::kHangOnToken},
                                                    {"garbage_frame_on_token", FaultKind::kGarbageFrameOnToken}}};
constexpr std::array<FaultName, 7> kPlainFaults = {{{"crash_on_restore", FaultKind::kCrashOnRestore},
                                                    {"crash_on_save", FaultKind::kCrashOnSave},
                                                    {"abort_on_start", FaultKind::kAbortOnStart},
                                                    {"hang_on_load", FaultKind::kHangOnLoad},
                                                    {"crash_on_load", FaultKind::kCrashOnLoad},
                                                    {"hang_on_restore", FaultKind::kHangOnRestore},
                                                    {"hang_on_save", FaultKind::kHangOnSave}}};

// The part up to the first space; `rest` keeps what stands behind it.
std::string_view take_word(std::string_view* rest) {
  const size_t end = std::min(rest->find(' '), rest->size());
  const std::string_view word = rest->substr(0, end);
  rest->remove_prefix(std::min(end + 1, rest->size()));
  return word;
}

bool parse_number(std::string_view text, uint32_t* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse_number(std::string_view text, double* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && *number >= 0;
}

std::string unescaped(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool line_end = text.substr(i, 2) == "\\n";
    result += line_end ? '\n' : text[i];
    if (line_end) ++i;
  }
  return result;
}

bool parse_fault(std::string_view name, std::string_view value, std::string once_file, Script* script) {
  for (const auto& [known, kind] : kTokenFaults) {
    uint32_t token = 0;
    if (name != known) continue;
    if (!parse_number(value, &token) || token == 0) return false;
    script->faults.push_back({.kind = kind, .token = token, .once_file = std::move(once_file)});
    return true;
  }
  for (const auto& [known, kind] : kPlainFaults) {
    if (name != known) continue;
    script->faults.push_back({.kind = kind, .once_file = std::move(once_file)});
    return value.empty();
  }
  if (name != "crash_if_prompt_contains" || value.empty()) return false;
  script->faults.push_back({FaultKind::kCrashIfPromptContains, 0, std::string(value), std::move(once_file)});
  return true;
}

bool parse_line(std::string_view line, Script* script) {
  const std::string_view name = take_word(&line);
  if (name.empty() || name.front() == '#') return true;
  if (name == "answer") {
    script->answer = unescaped(line);
    return true;
  }
  if (name == "answer_if_prompt_contains") {
    const std::string word(take_word(&line));
    script->answers_by_word.emplace_back(word, unescaped(line));
    return !word.empty() && !line.empty();
  }
  if (name == "print") {
    script->print += unescaped(line) + "\n";
    return true;
  }
  if (name == "repeat") return parse_number(line, &script->repeat);
  if (name == "token_delay_ms") return parse_number(line, &script->token_delay_ms);
  if (name == "prefill_delay_ms_per_token") return parse_number(line, &script->prefill_delay_ms_per_token);
  if (name == "load_delay_ms") return parse_number(line, &script->load_delay_ms);
  if (name == "echo") return script->echo = line.empty();
  if (name == "clock") return script->clock = line.empty();
  if (name == "refuse_save") return script->refuse_save = line.empty();
  if (name != "once") return parse_fault(name, line, {}, script);
  const std::string once_file(take_word(&line));
  const std::string_view fault = take_word(&line);
  return !once_file.empty() && parse_fault(fault, line, once_file, script);
}

}  // namespace

Result<Script> parse_script(std::string_view text) {
  Script script;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (!parse_line(text.substr(0, end), &script)) {
      return fail(ErrorCode::kInvalidArgument, "Line " + std::to_string(number) + " of the script means nothing.");
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return script;
}

}  // namespace rockllama
