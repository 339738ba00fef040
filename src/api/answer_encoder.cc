#include "api/answer_encoder.h"

namespace rockllama::api {

void ChoiceAnswer::add(const AnswerPiece& piece) {
  said.text += piece.text;
  said.reasoning += piece.reasoning;
  said.logprobs.insert(said.logprobs.end(), piece.logprobs.begin(), piece.logprobs.end());
  for (const ToolCallDelta& delta : piece.tool_calls) {
    if (said.tool_calls.size() <= delta.index) said.tool_calls.resize(delta.index + 1);
    ToolCallDelta& call = said.tool_calls[delta.index];
    call.id += delta.id;
    call.name += delta.name;
    call.arguments += delta.arguments;
  }
}

}  // namespace rockllama::api
