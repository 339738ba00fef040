#include "engines/rkllm/run_rules.h"

#include <variant>

namespace rockllama::rkllm {
namespace {

Status check_input(const RunRequest& request) {
  if (const auto* text = std::get_if<std::string>(&request.input)) {
    if (text->empty()) return fail(ErrorCode::kInvalidArgument, "The prompt is empty.");
    // The runtime would read up to it and answer half of the prompt.
    if (text->find('\0') != std::string::npos) {
      return fail(ErrorCode::kInvalidArgument, "The prompt has a NUL character, which the runtime cannot take.");
    }
    return {};
  }
  if (std::get<std::vector<int32_t>>(request.input).empty()) {
    return fail(ErrorCode::kInvalidArgument, "The prompt is empty.");
  }
  return {};
}

}  // namespace

Status check_run(const RunRequest& request, const Features& features) {
  const struct {
    bool wanted;
    bool offered;
    const char* what;
  } wishes[] = {
      {request.role != "user", features.role, "a role"},
      {request.enable_thinking, features.thinking, "a switch for thinking"},
      {request.keep_history, features.keep_history, "keep_history"},
      {request.max_new_tokens.has_value(), features.sampling_per_run, "max_new_tokens for one run"},
      {request.sampling.has_value(), features.sampling_per_run, "sampling for one run"},
  };
  for (const auto& wish : wishes) {
    if (wish.wanted && !wish.offered) {
      return fail(ErrorCode::kInvalidArgument, std::string("This version of the runtime has not ") + wish.what + ".");
    }
  }
  return check_input(request);
}

Error runtime_error(const std::string& what, int code, const std::string& last_words) {
  return {ErrorCode::kInternal, "The RKLLM runtime " + what + " (" + std::to_string(code) + ")" +
                                    (last_words.empty() ? "." : ": " + last_words)};
}

Result<RunResult> judge_run(const RunOutcome& outcome, const Features& features) {
  if (outcome.silent()) {
    return fail(runtime_error("came back from a run without an end of it", outcome.code, outcome.last_words));
  }
  // However it ends: an abort was asked for.
  const bool refused = outcome.code != 0 && !outcome.aborted;
  if (refused) return fail(runtime_error("refuses the prompt", outcome.code, outcome.last_words));
  if (outcome.report.end == RunEnd::kError && !outcome.aborted) {
    return fail(runtime_error("ended the run with an error", outcome.code, outcome.last_words));
  }
  RunResult result{.aborted = outcome.aborted};
  if (outcome.code != 0) result.trouble = outcome.last_words.empty() ? "it gives no reason" : outcome.last_words;
  if (features.perf && outcome.report.end == RunEnd::kFinish) result.perf = outcome.report.perf;
  return result;
}

}  // namespace rockllama::rkllm
