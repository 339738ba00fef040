// Which of several answers are told. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "api/completion_encoder.h"

namespace rockllama::api {

// `answers` hold `candidates` for each prompt, one prompt after the other. Of each the `told` whose tokens have the
// highest mean logprob, the best first; as they are where all are told. An answer without logprobs comes last.
[[nodiscard]] std::vector<ChoiceAnswer> best_choices(std::vector<ChoiceAnswer> answers, size_t candidates, size_t told);

}  // namespace rockllama::api
