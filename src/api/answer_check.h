// Whether a whole answer is the JSON that was asked for, for engines that cannot be held to a grammar. Pure.
#pragma once

#include <string>

#include "api/json_text.h"
#include "service/completions.h"

namespace rockllama::api {

// The check gives the JSON alone, without a Markdown fence or space around it. It knows the keywords that docs/api.md
// names, but `pattern` and `format`: matching those can take for ever. kUnsupported for a schema that refers to itself
// or out of itself, kInvalidArgument for one that is none.
[[nodiscard]] Result<AnswerCheck> make_answer_check(const std::string& schema);

// `schema` without references, in the words of draft 7, with nothing but keywords that are checked.
[[nodiscard]] Result<Json> plain_schema(const Json& schema);

// What is left of an answer without space and one Markdown fence around it.
[[nodiscard]] std::string without_fence(const std::string& answer);

}  // namespace rockllama::api
