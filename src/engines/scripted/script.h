// The script of a scripted model: a text file that stands where a model file would, one directive per line. Blank lines
// and lines that begin with # mean nothing.
//
//   answer TEXT                    what every generation says; \n is a line end
//   answer_if_prompt_contains WORD TEXT    what those generations say instead; the first line that fits counts
//   repeat N                       ... N times
//   echo                           answers with the prompt's own text instead
//   clock                          each token's text is a space and the steady clock in microseconds instead
//   token_delay_ms N               per step of decoding, for all generations together
//   prefill_delay_ms_per_token N   may be a fraction
//   load_delay_ms N
//   refuse_save                    no state can be saved
//   print TEXT                     a line on stderr at each load
//
// Faults. A token is counted from 1 within its generation; the fault comes instead of it.
//
//   crash_on_token N, hang_on_token N, garbage_frame_on_token N
//   crash_if_prompt_contains WORD
//   crash_on_restore, crash_on_save    SIGSEGV, like crash_on_token
//   abort_on_start                     SIGABRT when a generation begins
//   hang_on_load, crash_on_load, hang_on_restore, hang_on_save
//
// `once FILE FAULT`: the fault comes only while FILE does not exist, and creates it; so a restarted worker works.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace rockllama {

enum class FaultKind : uint8_t {
  kCrashOnToken,
  kHangOnToken,
  kGarbageFrameOnToken,
  kCrashIfPromptContains,
  kCrashOnRestore,
  kCrashOnSave,
  kAbortOnStart,
  kHangOnLoad,
  kCrashOnLoad,
  kHangOnRestore,
  kHangOnSave,
};

struct Fault {
  FaultKind kind = FaultKind::kCrashOnToken;
  uint32_t token = 0;       // of the faults that count tokens
  std::string word{};       // of kCrashIfPromptContains
  std::string once_file{};  // path; empty = every time
  bool operator==(const Fault&) const = default;
};

struct Script {
  std::string answer = "This is a scripted answer.";
  std::vector<std::pair<std::string, std::string>> answers_by_word{};  // word of the prompt to answer
  uint32_t repeat = 1;
  bool echo = false;
  bool clock = false;
  double token_delay_ms = 0;
  double prefill_delay_ms_per_token = 0;
  double load_delay_ms = 0;
  bool refuse_save = false;
  std::string print{};  // with a line end after each line; empty = nothing
  std::vector<Fault> faults{};
};

// kInvalidArgument with the line's number for a directive that is unknown or lacks its value.
[[nodiscard]] Result<Script> parse_script(std::string_view text);

}  // namespace rockllama
