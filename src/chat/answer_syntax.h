// Private to src/chat.
#pragma once

#include <chat.h>

namespace rockllama {

struct AnswerSyntax {
  common_chat_parser_params params;
};

}  // namespace rockllama
