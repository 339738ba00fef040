// What can be said of a run before it begins and after its end: pure.
#pragma once

#include <string>

#include "base/result.h"
#include "engines/rkllm/runtime.h"

namespace rockllama::rkllm {

// kInvalidArgument for an empty or cut text, and for what this runtime does not offer.
[[nodiscard]] Status check_run(const RunRequest& request, const Features& features);

enum class RunEnd : uint8_t { kSilent, kFinish, kError };

// What the callbacks of a run told.
struct RunReport {
  RunEnd end = RunEnd::kSilent;
  bool hidden_layer = false;  // one was handed over
  PerfStats perf{};           // at kFinish
};

struct RunOutcome {
  int code = 0;  // of rkllm_run
  RunReport report{};
  bool aborted = false;
  std::string last_words{};  // of the runtime's log

  // The runtime may still be at it. Hidden layers may come without FINISH.
  [[nodiscard]] bool silent() const { return code == 0 && report.end == RunEnd::kSilent && !report.hidden_layer; }
};
[[nodiscard]] Result<RunResult> judge_run(const RunOutcome& outcome, const Features& features);

// kInternal: "The RKLLM runtime <what> (<code>): <its last words>".
[[nodiscard]] Error runtime_error(const std::string& what, int code, const std::string& last_words);

}  // namespace rockllama::rkllm
