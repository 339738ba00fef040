// Probabilities of an answer's tokens, as the two completion endpoints write them. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "api/json_text.h"
#include "domain/generation.h"

namespace rockllama::api {

// {"content":[{"token","logprob","bytes","top_logprobs"}],"refusal":null}
[[nodiscard]] OrderedJson chat_logprobs_json(const std::vector<TokenLogprobs>& tokens);

// {"tokens","token_logprobs","top_logprobs","text_offset"}; top_logprobs is null where none were asked for.
// `characters`: of the text before the first of the tokens; counts on behind the last.
[[nodiscard]] OrderedJson text_logprobs_json(const std::vector<TokenLogprobs>& tokens, size_t* characters);

}  // namespace rockllama::api
