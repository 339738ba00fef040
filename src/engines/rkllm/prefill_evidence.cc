#include "engines/rkllm/prefill_evidence.h"

#include <algorithm>

namespace rockllama::rkllm {
namespace {

constexpr const char* kNoCount = "unverified: this runtime reports no prefill count";
constexpr const char* kNotSkipped = "the runtime prefilled the whole prompt";

PrefillVerdict judge_tokens(const PrefillEvidence& evidence) {
  if (*evidence.prefilled >= evidence.prompt) return {0, kNotSkipped};
  return {std::min(evidence.prompt - *evidence.prefilled, evidence.reusable)};
}

PrefillVerdict judge_bytes(const PrefillEvidence& evidence, uint32_t state_tokens) {
  if (state_tokens == 0 || evidence.state == 0) return {0, kNoCount};
  const double tokens_per_byte = static_cast<double>(state_tokens) / evidence.state;
  const double reusable = evidence.reusable * tokens_per_byte;
  const double rest = evidence.prompt * tokens_per_byte - reusable;
  if (*evidence.prefilled < rest + reusable / 2) return {static_cast<uint32_t>(reusable)};
  return {0, kNotSkipped};
}

}  // namespace

PrefillVerdict judge_prefill(const PrefillEvidence& evidence) {
  if (!evidence.prefilled) return {0, kNoCount};
  return evidence.counted_state ? judge_bytes(evidence, *evidence.counted_state) : judge_tokens(evidence);
}

}  // namespace rockllama::rkllm
