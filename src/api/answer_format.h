// What form an answer has to have. Pure.
#pragma once

#include <string>

#include "api/field_reader.h"
#include "api/generation_fields.h"
#include "api/wire_form.h"

namespace rockllama::api {

// The JSON schema that `format` (a `response_format`, or the `format` of a response's `text`) holds the answer to;
// empty = any text. Faults are left in `format`.
[[nodiscard]] std::string read_answer_schema(FieldReader* format, WireForm form);

// What `call` asks for, with the check of its answer for engines that cannot be held to a schema.
void set_chat(ChatPrompt prompt, CompletionCall* call);

}  // namespace rockllama::api
