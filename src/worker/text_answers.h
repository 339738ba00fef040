// Answers to questions about texts and tokens, for which nothing is decoded. Pure but for the model's vocabulary and
// template.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "domain/question.h"
#include "worker/line_borders.h"

namespace rockllama {

// kUnsupported where there is no tokenizer, no chat template, or something to decode; kInvalidArgument for ids that are
// no tokens, texts that cannot be tokenized and messages that the template refuses.
[[nodiscard]] Result<Answer> answer_text_question(const PreparerModel& model, const Question& question);

// kInvalidArgument with `place` and the first of `ids` that is no token.
[[nodiscard]] Status check_tokens(const Vocabulary& vocabulary, const std::vector<int32_t>& ids,
                                  const std::string& place);

}  // namespace rockllama
