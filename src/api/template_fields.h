// What a chat template is told beside the messages. Pure.
#pragma once

#include <string>

#include "api/field_reader.h"
#include "domain/generation.h"

namespace rockllama::api {

// Reads an effort of reasoning. Faults are left in `fields`, like those of the next.
void read_effort(FieldReader* fields, const std::string& name, ChatPrompt* prompt);
// Reads `chat_template_kwargs` and `enable_thinking`, of which the plainer wins, and both over an effort that was read
// before.
void read_template_arguments(FieldReader* fields, ChatPrompt* prompt);

}  // namespace rockllama::api
