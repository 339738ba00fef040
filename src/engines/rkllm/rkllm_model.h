// A model in the vendor's runtime, ready to run: the library found, the model loaded, the way of its prompts chosen.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "domain/model.h"
#include "engines/rkllm/log_tap.h"
#include "engines/rkllm/prompt_mode.h"
#include "engines/rkllm/runtime.h"

namespace rockllama::rkllm {

// What of ours could render prompts.
struct PromptSources {
  bool has_tokenizer = false;
  bool has_template = false;
  std::string template_source{};  // Jinja, for a special token to probe with; empty = not known
};

struct RkllmModel {
  std::unique_ptr<LogTap> log;  // outlives the runtime
  std::unique_ptr<Runtime> runtime;
  PromptChoice prompt;
  uint32_t context_tokens = 0;
  std::string lora_adapter{};  // name for each run; empty = none
  std::string lora_hash{};
};

// Seconds to minutes; may crash or hang. Fails as Library::open, Runtime::init and choose_prompt_mode do.
[[nodiscard]] Result<RkllmModel> load_rkllm_model(const ModelSpec& spec, const PromptSources& sources);

// Capabilities, version and fingerprint.
[[nodiscard]] LoadedModel describe(const RkllmModel& model, const ModelSpec& spec);

}  // namespace rockllama::rkllm
