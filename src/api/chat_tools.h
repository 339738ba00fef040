// The `tools` of a chat. Pure.
#pragma once

#include <string>
#include <vector>

#include "api/field_reader.h"
#include "domain/chat.h"

namespace rockllama::api {

// Of one function that must be asked for.
struct ToolSelection {
  ToolChoice choice = ToolChoice::kAuto;
  std::string name{};  // of the one that kRequired means; empty = any
};

// Reads `tool_choice`, whose function must be one of `tools`. Faults are left in `fields`.
[[nodiscard]] ToolSelection read_tool_choice(FieldReader* fields, const std::vector<ChatTool>& tools);

// Reads the list `tools` of functions as OpenAI writes them, which must not be empty. Faults are left in `fields`.
[[nodiscard]] std::vector<ChatTool> read_tools(FieldReader* fields);

}  // namespace rockllama::api
