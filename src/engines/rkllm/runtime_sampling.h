// What of a request's sampling the runtime can be given. Pure.
#pragma once

#include <string>
#include <vector>

#include "domain/generation.h"
#include "engines/rkllm/abi_group.h"

namespace rockllama::rkllm {

// A temperature of 0 means greedy: one candidate, because no header says what the runtime makes of 0.
[[nodiscard]] SamplingParams as_runtime_takes(SamplingParams sampling);

// Fields of a request that have no effect.
[[nodiscard]] std::vector<std::string> ignored_sampling(const Features& features);

}  // namespace rockllama::rkllm
