#include "engines/llama_cpp/engine_settings.h"

#include <algorithm>

namespace rockllama {
namespace {

constexpr uint64_t kDefaultKvBytes = 384u << 20;
constexpr uint32_t kDefaultContextTokens = 8192;
constexpr uint32_t kMaxParallel = 64;  // llama.cpp takes 256 sequences

uint32_t default_cells(uint32_t context_tokens, uint32_t parallel, uint64_t bytes_per_token) {
  const uint64_t affordable = kDefaultKvBytes / std::max<uint64_t>(1, bytes_per_token);
  const uint64_t wanted = uint64_t{context_tokens} * parallel;
  return static_cast<uint32_t>(std::max<uint64_t>(context_tokens, std::min(wanted, affordable)));
}

}  // namespace

EngineSettings settle(const ModelSpec& spec, const ModelShape& shape, uint32_t performance_cores,
                      uint32_t idle_residents) {
  EngineSettings settings;
  settings.context_tokens =
      spec.context_tokens != 0 ? spec.context_tokens : std::min(shape.trained_tokens, kDefaultContextTokens);
  settings.parallel = std::clamp(spec.parallel, 1u, kMaxParallel);
  settings.idle_residents = idle_residents;
  settings.block_tokens = std::max(1u, spec.block_tokens);
  settings.threads = spec.threads != 0 ? spec.threads : performance_cores;
  settings.automatic_reuse = spec.automatic_reuse;
  settings.automatic_memory_bytes = spec.automatic_memory_bytes;
  settings.offer_evicted = spec.offer_evicted;
  const uint32_t cells = spec.kv_tokens != 0
                             ? spec.kv_tokens
                             : default_cells(settings.context_tokens, settings.parallel, shape.kv_bytes_per_token);
  settings.kv_cells = (cells + 255) / 256 * 256;
  settings.context_tokens = std::min(settings.context_tokens, settings.kv_cells);
  return settings;
}

std::string engine_fingerprint(const EngineSettings& settings, const llama_model* model) {
  std::string text = "llama.cpp " LLAMA_CPP_BUILD_ID "; ";
  text += llama_print_system_info();
  text += "; kv f16; flash attention; unified";
  text += "; block " + std::to_string(settings.block_tokens);
  text += "; ubatch " + std::to_string(settings.batch_tokens());
  text += "; threads " + std::to_string(settings.threads);
  text += "; rope " + std::to_string(llama_model_rope_type(model)) + " of the model, no scaling; no lora";
  return text;
}

}  // namespace rockllama
