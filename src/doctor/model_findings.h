// A model and its caches as a doctor sees them: facts, and what they mean. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "doctor/findings.h"
#include "domain/runtime_report.h"

namespace rockllama::doctor {

// A state of a cache.
struct StateFacts {
  std::string cache;
  std::string format;
  std::string status;  // ready, stale, quarantined, unsupported
  std::string reason{};
  uint32_t tokens = 0;
  uint64_t bytes = 0;
};

struct ModelFacts {
  std::string name;
  std::string engine;
  std::string status;              // loaded, loading, failed, unloaded
  std::string failure{};           // why its last load failed
  std::vector<std::string> log{};  // the last lines that its worker wrote
  uint64_t file_bytes = 0;
  uint32_t context_tokens = 0;      // 0 = not known before it is loaded
  uint64_t kv_bytes_per_token = 0;  // 0 = the same
  std::string prompt_mode{};        // of RKLLM models: tokens, rendered, native; empty = the same
  std::string prompt_mode_reason{};
  RuntimeReport runtime{};       // what an RKLLM runtime said while it loaded
  std::string saving_problem{};  // why no states are saved any more; empty = they are
  uint32_t caches = 0;
  std::vector<StateFacts> states{};
  double prefill_tokens_per_s = 0;              // 0 = not measured
  double restore_bytes_per_s = 0;               // 0 = not measured
  std::optional<uint32_t> break_even_tokens{};  // as the server says
};

// What restoring a state costs against prefilling its tokens, at the measured speeds.
struct RestoreCost {
  double restore_ms = 0;
  double prefill_ms = 0;
};
// Nothing where either speed is not measured.
[[nodiscard]] std::optional<RestoreCost> restore_cost(const ModelFacts& model, const StateFacts& state);

// `server_runs`: the facts are a running server's, so what it does not know is not measured yet.
[[nodiscard]] std::vector<Finding> model_findings(const ModelFacts& model, const Machine& machine, bool server_runs);

}  // namespace rockllama::doctor
