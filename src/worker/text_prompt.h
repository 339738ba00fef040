// Raw prompts: a text, token ids, or what stands around a text that is to be filled in. Pure but for the model's
// tokenizer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "worker/line_borders.h"

namespace rockllama {

// `before`: the text of a cache, which stands directly before the prompt. kUnsupported for token ids where the model is
// not prepared in tokens, and for a suffix where it cannot fill in; kInvalidArgument for an id that is no token, or a
// text that cannot be tokenized.
[[nodiscard]] Result<std::vector<int32_t>> tokenize_prompt(const PreparerModel& model, const TextPrompt& prompt,
                                                           const std::string& before);

// What an answer begins with that has to echo its prompt, in UTF-8. Empty where it has not; of tokens only what
// tokenize_prompt took.
[[nodiscard]] std::string echoed_text(const PreparerModel& model, const TextPrompt& prompt);

}  // namespace rockllama
