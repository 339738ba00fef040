#include "domain/generation.h"

namespace rockllama {
namespace {

template <class T>
void fill(std::optional<T>& field, const std::optional<T>& value) {
  if (!field) field = value;
}

}  // namespace

SamplingParams merged(const SamplingParams& first, const SamplingParams& then) {
  SamplingParams result = first;
  fill(result.temperature, then.temperature);
  fill(result.top_p, then.top_p);
  fill(result.top_k, then.top_k);
  fill(result.min_p, then.min_p);
  fill(result.repeat_penalty, then.repeat_penalty);
  fill(result.frequency_penalty, then.frequency_penalty);
  fill(result.presence_penalty, then.presence_penalty);
  fill(result.mirostat, then.mirostat);
  fill(result.mirostat_tau, then.mirostat_tau);
  fill(result.mirostat_eta, then.mirostat_eta);
  fill(result.seed, then.seed);
  if (result.logit_bias.empty()) result.logit_bias = then.logit_bias;
  return result;
}

bool reused(const CacheUse& use) {
  return use.tokens > 0 && use.tier != CacheTier::kNone && use.tier != CacheTier::kText;
}

const char* to_string(CacheTier tier) {
  switch (tier) {
    case CacheTier::kNone:
      return "none";
    case CacheTier::kText:
      return "text";
    case CacheTier::kDisk:
      return "disk";
    case CacheTier::kMemory:
      return "memory";
    case CacheTier::kResident:
      return "resident";
  }
  return "none";
}

}  // namespace rockllama
