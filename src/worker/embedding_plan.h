// The first step of embeddings: each input becomes tokens that the engine takes. Pure but for the model's tokenizer.
#pragma once

#include <vector>

#include "base/result.h"
#include "domain/question.h"
#include "worker/line_borders.h"

namespace rockllama {

// kContextLengthExceeded with both numbers, kInvalidArgument for an id that is no token, kUnsupported for ids where the
// model is not prepared in tokens.
[[nodiscard]] Result<std::vector<std::vector<int32_t>>> plan_embeddings(const PreparerModel& model,
                                                                        const EmbeddingsQuestion& question);

}  // namespace rockllama
