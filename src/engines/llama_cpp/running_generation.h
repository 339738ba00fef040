#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/engine.h"
#include "engines/llama_cpp/kv_buffer.h"
#include "engines/llama_cpp/prefix_index.h"
#include "engines/llama_cpp/sampler.h"

namespace rockllama {

// An admitted generation: its prompt goes into the buffer cut by cut, then tokens come one by one. A token is sampled,
// emitted (for credit), and decoded to get the next.
struct RunningGeneration {
  GenerationTask task;
  Placement placement;
  Sampler sampler;
  std::vector<int32_t> preserved{};  // control tokens whose text belongs to the answer
  uint32_t done = 0;                 // tokens of the prompt that are in the buffer
  size_t next_cut = 0;               // of the first cut behind `done`
  uint64_t turn = 0;                 // when its last block was prefilled; the smallest is next
  uint32_t emitted = 0;              // tokens
  std::vector<int32_t> decoded{};    // of the emitted ones those whose cells are in the buffer
  std::optional<int32_t> token{};
  std::optional<TokenLogprobs> logprobs{};  // of `token`
  bool token_emitted = false;
  int32_t logits_index = 0;  // in the decode call that runs
  double started_ms = 0;
  double first_token_ms = 0;
  double last_token_ms = 0;

  [[nodiscard]] uint32_t prompt_tokens() const { return static_cast<uint32_t>(task.tokens.size()); }
  [[nodiscard]] bool prefilling() const { return done < prompt_tokens(); }
  [[nodiscard]] bool ready_to_decode() const { return token_emitted && task.credit > 0; }
  // What its cells can serve once it has ended; of a prompt that is not whole what is done.
  [[nodiscard]] AutomaticPrefix left_behind() const {
    AutomaticPrefix prefix{.tokens = task.tokens,
                           .cuts = placement.cuts,
                           .generated_from = std::min(placement.generated_from, done),
                           .exact_tokens = placement.exact_tokens,
                           .salt = task.salt};
    prefix.tokens.resize(done);
    std::erase_if(prefix.cuts, [this](uint32_t cut) { return cut > done; });
    prefix.tokens.insert(prefix.tokens.end(), decoded.begin(), decoded.end());
    return prefix;
  }
  [[nodiscard]] Usage usage() const {
    return {.prompt_tokens = prompt_tokens(),
            .completion_tokens = emitted,
            .prefill_ms = first_token_ms - started_ms,
            .decode_ms = last_token_ms - first_token_ms};
  }
};

}  // namespace rockllama
