// The `input` of a response as messages of a chat. Pure.
#pragma once

#include <vector>

#include "api/field_reader.h"
#include "domain/chat.h"

namespace rockllama::api {

// A text, or a list of items that is not empty: messages, calls of functions with their outputs, reasoning. What one
// assistant said in a row (reasoning, a message, calls) becomes one message. Faults are left in `fields`.
[[nodiscard]] std::vector<ChatMessage> read_input(FieldReader* fields);

}  // namespace rockllama::api
