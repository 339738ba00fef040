// model.json: what one model does otherwise than the server's settings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/model_registry.h"

namespace rockllama {

// Faults with their path in the file; an entry with errors must not be served.
struct OverrideReport {
  std::vector<std::string> errors{};
  std::vector<std::string> warnings{};  // unknown keys
};

// Takes over what `text` sets: context_tokens, parallel, threads, kv_tokens, block_tokens, max_tokens, keep_alive_s,
// default_cache, sampling{temperature, top_p, top_k, min_p, repeat_penalty, frequency_penalty, presence_penalty,
// mirostat, mirostat_tau, mirostat_eta, seed}, embedding{max_context_len, pooling_strategy, normalize}, prompt_mode,
// rkllm{library, version, lora, lora_scale, n_keep, skip_special_token, base_domain_id, embed_flash, n_batch,
// enabled_cpus_num, enabled_cpus_mask}. `notes` and `description` are let pass.
[[nodiscard]] OverrideReport apply_overrides(std::string_view text, ModelEntry* entry);

}  // namespace rockllama
