// Picks the next token from logits: SamplingParams as a chain of llama.cpp's samplers. Belongs to one generation.
#pragma once

#include <llama.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "domain/generation.h"
#include "engines/llama_cpp/grammar_sampler.h"

namespace rockllama {

class Sampler {
 public:
  // Penalties count the last tokens of `prompt` too. Without a seed it takes a random one.
  Sampler(const SamplingParams& params, uint32_t vocabulary_size, std::span<const int32_t> prompt);

  // From now on only what the grammar allows is taken.
  void follow(GrammarSampler grammar) { grammar_ = std::move(grammar); }

  // The token for the logits of one output. Counts as said: penalties see it from now on. kInternal where the grammar
  // allows none.
  [[nodiscard]] Result<int32_t> sample(std::span<const float> logits);

 private:
  struct Free {
    void operator()(llama_sampler* sampler) const { llama_sampler_free(sampler); }
  };
  [[nodiscard]] llama_token_data_array candidates_of(std::span<const float> logits);

  std::unique_ptr<llama_sampler, Free> chain_;
  std::optional<GrammarSampler> grammar_;
  std::vector<llama_token_data> candidates_;
};

}  // namespace rockllama
