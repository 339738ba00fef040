// Logits to the logarithms of probabilities. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rockllama {

struct RankedToken {
  int32_t token = 0;
  float logprob = 0;  // natural logarithm; never below -9999
};

struct LogprobRanking {
  RankedToken chosen;
  std::vector<RankedToken> top;  // the likeliest first
};

// `chosen` is an index of `logits`; `top` may be more than there are.
[[nodiscard]] LogprobRanking rank_logprobs(std::span<const float> logits, int32_t chosen, uint32_t top);

}  // namespace rockllama
