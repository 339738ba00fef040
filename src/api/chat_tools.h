// The tools of a chat, and which of them the answer may or must ask for. Pure.
#pragma once

#include <string>
#include <vector>

#include "api/field_reader.h"
#include "api/wire_form.h"
#include "domain/generation.h"

namespace rockllama::api {

// Reads `tools`, `tool_choice`, whose function must be one of them, and `parallel_tool_calls`. Faults are left in
// `fields`, like those of the next.
void read_tool_fields(FieldReader* fields, WireForm form, ChatPrompt* prompt);
// Reads the list `tools` of functions as OpenAI writes them, which must not be empty.
[[nodiscard]] std::vector<ChatTool> read_tools(FieldReader* fields, WireForm form);
// A fault of `name`, the field that asked for a schema, where the answer may call tools, too.
void refuse_schema_beside_tools(FieldReader* fields, const ChatPrompt& prompt, const std::string& name);

}  // namespace rockllama::api
