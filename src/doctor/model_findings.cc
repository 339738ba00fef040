#include "doctor/model_findings.h"

#include <cstdio>
#include <map>

namespace rockllama::doctor {
namespace {

template <class... Values>
std::string in_words(const char* format, Values... values) {
  char text[200];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

double megabytes_of(double bytes) { return bytes / 1048576; }

// The states of some engines are the KV cells and little more.
uint64_t kv_bytes_by_states(const ModelFacts& model) {
  uint64_t tokens = 0, bytes = 0;
  for (const StateFacts& state : model.states) {
    tokens += state.tokens;
    bytes += state.bytes;
  }
  return tokens == 0 ? 0 : bytes / tokens;
}

std::string kv_words(const ModelFacts& model) {
  if (model.kv_bytes_per_token != 0) return ", " + std::to_string(model.kv_bytes_per_token) + " KV bytes per token";
  const uint64_t guess = kv_bytes_by_states(model);
  return guess == 0 ? "" : ", about " + std::to_string(guess) + " KV bytes per token by its states";
}

Finding engine_finding(const ModelFacts& model, const Machine& machine) {
  Finding finding{model.name, Level::kGood, model.engine + ", " + model.status};
  if (model.context_tokens != 0) finding.what += ", context " + std::to_string(model.context_tokens) + " tokens";
  finding.what += kv_words(model);
  if (model.context_tokens == 0) finding.what += "; context limit and KV bytes are known once it is loaded";
  if (machine.memory_bytes != 0 && model.file_bytes > machine.memory_bytes / 10 * 9) {
    finding.level = Level::kWarning;
    finding.what +=
        in_words("; its file of %.1f GiB hardly fits the memory", static_cast<double>(model.file_bytes) / (1u << 30));
    finding.advice = "use a smaller model or a smaller quantisation";
  }
  return finding;
}

std::string lines_of(const std::vector<std::string>& log) {
  std::string text;
  for (const std::string& line : log) text += "\n  | " + line;
  return text;
}

Finding failure_finding(const ModelFacts& model) {
  return {model.name, Level::kProblem, model.engine + ", failed: " + model.failure + lines_of(model.log),
          "docs/rkllm.md lists symptoms; POST /v1/models/load tries again, and so does a request once its file has "
          "changed"};
}

Finding runtime_finding(const ModelFacts& model) {
  const RuntimeReport& runtime = model.runtime;
  std::string what;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) what += (what.empty() ? "says: " : ", ") + std::string(name) + " " + value;
  };
  add("version", runtime.version);
  add("NPU driver", runtime.driver_version);
  add("platform", runtime.platform);
  add("model converted by toolkit", runtime.toolkit_version);
  if (runtime.context_limit != 0) add("context limit", std::to_string(runtime.context_limit));
  Finding finding{model.name + ": runtime", Level::kGood, what};
  if (runtime.driver_version.empty() || !is_older(runtime.driver_version, kWantedDriver)) return finding;
  finding.level = Level::kProblem;
  finding.advice = "its NPU driver is older than 0.9.8: update the system image or its kernel package";
  return finding;
}

Finding prompt_finding(const ModelFacts& model) {
  const std::string why = model.prompt_mode_reason.empty() ? "" : ": " + model.prompt_mode_reason;
  Finding finding{model.name + ": prompt mode", Level::kGood, model.prompt_mode + why};
  if (model.prompt_mode == "tokens") return finding;
  finding.level = Level::kNote;
  finding.advice = "a vocabulary-only tokenizer.gguf in the model's folder gives exact tokens (docs/rkllm.md)";
  return finding;
}

Finding caches_finding(const ModelFacts& model) {
  std::map<std::string, int> by_status;
  std::string faults;
  bool broken = false;
  for (const StateFacts& state : model.states) {
    ++by_status[state.status];
    if (state.status == "ready") continue;
    broken = broken || state.status == "quarantined";
    faults += "; " + state.cache + " (" + state.format + ") is " + state.status;
    if (!state.reason.empty()) faults += ": " + state.reason;
  }
  std::string counts;
  for (const auto& [status, count] : by_status) {
    counts += (counts.empty() ? "" : ", ") + std::to_string(count) + " " + status;
  }
  Finding finding{model.name + ": caches", Level::kGood,
                  std::to_string(model.caches) + " with " + (counts.empty() ? "no" : counts) + " states" + faults};
  if (faults.empty()) return finding;
  finding.level = broken ? Level::kWarning : Level::kNote;
  finding.advice = "rockllama cache warm --model " + model.name + " makes them anew; until then the texts serve";
  return finding;
}

Finding saving_finding(const ModelFacts& model) {
  return {model.name + ": saving", Level::kWarning, model.saving_problem,
          "rockllama cache create NAME --retry-binary tries again, best after an update of the runtime"};
}

std::string speed_words(const ModelFacts& model) {
  std::string text = model.prefill_tokens_per_s > 0 ? in_words("prefills %.0f tokens/s", model.prefill_tokens_per_s)
                                                    : "prefill not measured yet";
  text += model.restore_bytes_per_s > 0 ? in_words(", restores %.0f MB/s", megabytes_of(model.restore_bytes_per_s))
                                        : ", restore not measured yet";
  if (model.break_even_tokens) text += ", a state pays from " + std::to_string(*model.break_even_tokens) + " tokens";
  for (const StateFacts& state : model.states) {
    const auto cost = restore_cost(model, state);
    if (!cost) continue;
    text += in_words("; %s (%s, %u tokens, %.1f MB): restore %.0f ms, prefill %.0f ms", state.cache.c_str(),
                     state.format.c_str(), state.tokens, megabytes_of(static_cast<double>(state.bytes)),
                     cost->restore_ms, cost->prefill_ms);
  }
  return text;
}

Finding speed_finding(const ModelFacts& model, bool server_runs) {
  const std::string subject = model.name + ": break-even";
  if (!server_runs) {
    return {
        subject, Level::kNote, "no server runs, so nothing is measured",
        "the speeds of prefill and restore stand here, and in the stats of GET /v1/cache, once a server has answered "
        "over a cache"};
  }
  if (model.status != "loaded") return {subject, Level::kNote, "not measured: the model is not loaded"};
  return {subject, Level::kGood, speed_words(model)};
}

}  // namespace

std::optional<RestoreCost> restore_cost(const ModelFacts& model, const StateFacts& state) {
  if (model.prefill_tokens_per_s <= 0 || model.restore_bytes_per_s <= 0) return std::nullopt;
  return RestoreCost{static_cast<double>(state.bytes) / model.restore_bytes_per_s * 1000,
                     state.tokens / model.prefill_tokens_per_s * 1000};
}

std::vector<Finding> model_findings(const ModelFacts& model, const Machine& machine, bool server_runs) {
  std::vector<Finding> findings;
  findings.push_back(model.failure.empty() ? engine_finding(model, machine) : failure_finding(model));
  if (!(model.runtime == RuntimeReport{})) findings.push_back(runtime_finding(model));
  if (!model.prompt_mode.empty()) findings.push_back(prompt_finding(model));
  findings.push_back(caches_finding(model));
  if (!model.saving_problem.empty()) findings.push_back(saving_finding(model));
  findings.push_back(speed_finding(model, server_runs));
  return findings;
}

}  // namespace rockllama::doctor
