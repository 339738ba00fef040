// The `messages` of a chat. Pure.
#pragma once

#include <vector>

#include "api/field_reader.h"
#include "domain/generation.h"

namespace rockllama::api {

// Reads the list `messages`, which must not be empty. Faults are left in `fields`.
[[nodiscard]] std::vector<ChatMessage> read_messages(FieldReader* fields);

}  // namespace rockllama::api
