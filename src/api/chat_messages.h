// The `messages` of a chat. Pure.
#pragma once

#include <string>
#include <vector>

#include "api/field_reader.h"
#include "domain/generation.h"

namespace rockllama::api {

// Reads `arguments` of a function that an assistant called: a text that is JSON, because templates take it apart.
// Faults are left in the reader, here and in the next.
[[nodiscard]] std::string read_call_arguments(FieldReader* function);
// Reads the list `messages`, which must not be empty.
[[nodiscard]] std::vector<ChatMessage> read_messages(FieldReader* fields);

}  // namespace rockllama::api
