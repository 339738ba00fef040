#include "engines/llama_cpp/logprobs.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rockllama {
namespace {

constexpr double kLeastLogprob = -9999;  // as OpenAI has it: JSON knows no infinity

double log_of_sum(std::span<const float> logits) {
  const double most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - most);
  return most + std::log(sum);
}

}  // namespace

LogprobRanking rank_logprobs(std::span<const float> logits, int32_t chosen, uint32_t top) {
  const double all = log_of_sum(logits);
  const auto ranked = [&](int32_t token) {
    const double logprob = std::max(logits[static_cast<size_t>(token)] - all, kLeastLogprob);
    return RankedToken{token, static_cast<float>(logprob)};
  };
  std::vector<int32_t> tokens(logits.size());
  std::iota(tokens.begin(), tokens.end(), 0);
  const auto end = tokens.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(top, tokens.size()));
  std::partial_sort(tokens.begin(), end, tokens.end(), [&](int32_t a, int32_t b) {
    return logits[static_cast<size_t>(a)] > logits[static_cast<size_t>(b)];
  });
  LogprobRanking ranking{ranked(chosen), {}};
  std::transform(tokens.begin(), end, std::back_inserter(ranking.top), ranked);
  return ranking;
}

}  // namespace rockllama
