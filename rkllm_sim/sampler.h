// Chooses the next token from a context's last logits. Like the vendor's it takes no seed: greedy at temperature 0 or
// top_k 1, else different each time. Owned by one run.
#pragma once

#include <llama.h>

#include <cstdint>

#include "rkllm_sim/types.h"

namespace rkllm_sim {

class Sampler {
 public:
  Sampler(const llama_vocab* vocabulary, const Sampling& sampling);
  ~Sampler() { llama_sampler_free(chain_); }
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  [[nodiscard]] int32_t next(llama_context* context) { return llama_sampler_sample(chain_, context, -1); }

 private:
  llama_sampler* chain_;
};

}  // namespace rkllm_sim
