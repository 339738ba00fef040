#include "engines/rkllm/runtime_sampling.h"

namespace rockllama::rkllm {

SamplingParams as_runtime_takes(SamplingParams sampling) {
  if (sampling.temperature && *sampling.temperature == 0) {
    sampling.temperature = 1;
    sampling.top_k = 1;
  }
  return sampling;
}

std::vector<std::string> ignored_sampling(const Features& features) {
  const std::vector<std::string> never = {"min_p", "seed", "logit_bias"};
  return features.sampling_per_run ? never : sampling_field_names();
}

}  // namespace rockllama::rkllm
