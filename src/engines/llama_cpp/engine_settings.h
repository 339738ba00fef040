// What a model's spec comes to on this machine: sizes, threads, and the fingerprint of everything that decides bits.
#pragma once

#include <cstdint>
#include <string>

#include "domain/model.h"
#include "engines/llama_cpp/llama_model.h"

namespace rockllama {

struct EngineSettings {
  uint32_t context_tokens = 0;  // limit of one request
  uint32_t kv_cells = 0;        // of the buffer that all requests share, a multiple of 256
  uint32_t parallel = 1;        // generations at once
  uint32_t idle_residents = 0;  // prefixes that stay in the buffer without a user
  uint32_t block_tokens = 1;
  uint32_t threads = 1;
  bool automatic_reuse = true;  // these three as in ModelSpec
  uint64_t automatic_memory_bytes = 0;
  bool offer_evicted = false;

  // Generations and the prefixes that they share each are a sequence.
  [[nodiscard]] uint32_t sequences() const { return 2 * parallel + idle_residents; }
  [[nodiscard]] uint32_t batch_tokens() const { return block_tokens > parallel ? block_tokens : parallel; }
};

struct ModelShape {
  uint32_t trained_tokens = 0;
  uint64_t kv_bytes_per_token = 0;
};

// Pure. The default size of the buffer holds a whole context per parallel generation as far as 384 MiB go, and at
// least one whole context.
[[nodiscard]] EngineSettings settle(const ModelSpec& spec, const ModelShape& shape, uint32_t performance_cores,
                                    uint32_t idle_residents);

[[nodiscard]] std::string engine_fingerprint(const EngineSettings& settings, const llama_model* model);

}  // namespace rockllama
