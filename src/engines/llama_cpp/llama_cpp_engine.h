// The Engine over llama.cpp: many generations in one KV buffer, prefill by the plan of cuts, shared resident prefixes,
// states restored from mapped files. Contract of the methods: engine/engine.h.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "base/result.h"
#include "engine/engine.h"
#include "engines/llama_cpp/llama_model.h"

namespace rockllama {

struct LlamaEngineOptions {
  // Sees the logits that each token of a generation is sampled from, on the engine's thread.
  std::function<void(RequestId, std::span<const float>)> on_logits{};
  uint32_t idle_residents = 2;  // prefixes that stay in the buffer without a user: each slows decoding a little
};

// An engine for a model that load_llama_model() loaded with the same spec; chat templates and tokenizer use the model
// beside it. kInternal where llama.cpp cannot make a context or decode.
[[nodiscard]] Result<std::unique_ptr<Engine>> make_llama_cpp_engine(const ModelSpec& spec,
                                                                    std::shared_ptr<llama_model> model, EngineSink sink,
                                                                    LlamaEngineOptions options = {});

}  // namespace rockllama
