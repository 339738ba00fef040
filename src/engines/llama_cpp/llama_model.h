// Loading a model and making contexts of it.
#pragma once

#include <llama.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "domain/model.h"
#include "engine/pooling.h"

namespace rockllama {

struct FreeContext {
  void operator()(llama_context* context) const { llama_free(context); }
};
using LlamaContext = std::unique_ptr<llama_context, FreeContext>;

// What a context is made with. Everything here but the sizes is part of the engine's fingerprint.
struct ContextSettings {
  uint32_t cells = 0;      // of the KV buffer; raised to a multiple of 256
  uint32_t sequences = 1;  // at most 256
  uint32_t batch_tokens = 0;
  uint32_t threads = 1;
  bool embeddings = false;  // each token of a call gives its hidden state
};

// The model of a GGUF file, mapped. kInvalidArgument where llama.cpp cannot load it, kUnsupported for models that do
// not generate text by decoding alone.
[[nodiscard]] Result<std::shared_ptr<llama_model>> load_llama_model(const ModelSpec& spec);

// Flash attention, f16 KV, one buffer for all sequences. kInternal where llama.cpp refuses (out of memory, mostly).
[[nodiscard]] Result<LlamaContext> make_context(llama_model* model, const ContextSettings& settings);

// Bytes that one token takes in the KV buffer, by the model's shape.
[[nodiscard]] uint64_t kv_bytes_per_token(const llama_model* model);

// What a model file says about its embeddings; empty where it says nothing.
struct EmbeddingMetadata {
  std::string pooling_type{};  // a number of llama_pooling_type
  std::string causal{};        // true or false
};
// `word` as in EmbeddingSettings; what the file says counts for "auto". kUnsupported for models that rank texts, and
// for those whose tokens see the ones behind them: cut into blocks they would see only a part of those. Pure.
[[nodiscard]] Result<Pooling> pooling_of(const EmbeddingMetadata& said, const std::string& word);
// The same of a loaded model.
[[nodiscard]] Result<Pooling> model_pooling(const llama_model* model, const std::string& word);

// Recurrent and sliding-window models do not keep what is needed to go back: their states serve whole or not at all.
[[nodiscard]] bool states_can_be_cut(const llama_model* model);

}  // namespace rockllama
