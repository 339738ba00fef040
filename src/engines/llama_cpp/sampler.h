// Picks the next token from logits: SamplingParams as a chain of llama.cpp's samplers. Belongs to one generation.
#pragma once

#include <llama.h>

#include <cstdint>
#include <memory>
#include <span>

#include "domain/generation.h"

namespace rockllama {

class Sampler {
 public:
  // Penalties count the last tokens of `prompt` too. Without a seed it takes a random one.
  Sampler(const SamplingParams& params, uint32_t vocabulary_size, std::span<const int32_t> prompt);

  // The token for the output `index` of the context's last decode call. Counts as said: penalties see it from now on.
  [[nodiscard]] int32_t sample(llama_context* context, int32_t index);

 private:
  struct Free {
    void operator()(llama_sampler* sampler) const { llama_sampler_free(sampler); }
  };
  std::unique_ptr<llama_sampler, Free> chain_;
};

}  // namespace rockllama
