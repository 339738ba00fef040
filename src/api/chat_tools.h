// The `tools` of a chat. Pure.
#pragma once

#include <vector>

#include "api/field_reader.h"
#include "domain/chat.h"

namespace rockllama::api {

// Reads the list `tools` of functions as OpenAI writes them, which must not be empty. Faults are left in `fields`.
[[nodiscard]] std::vector<ChatTool> read_tools(FieldReader* fields);

}  // namespace rockllama::api
