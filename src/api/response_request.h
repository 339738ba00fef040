// The body of POST /v1/responses. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/generation_fields.h"
#include "api/json_text.h"

namespace rockllama::api {

// A response request as its client means it.
struct ResponseCall {
  CompletionCall call{};       // its prompt holds the messages of `input` alone
  std::string instructions{};  // of this response alone; empty = none
  std::string previous_id{};   // of the response that it goes on from; empty = none
  bool store = true;
  OrderedJson echo = OrderedJson::object();  // what a response repeats of its request
};

// `enable_thinking` is what holds where the request says nothing. kInvalidArgument, kUnsupportedContent or kUnsupported
// with the path of the field at fault.
[[nodiscard]] Result<ResponseCall> parse_response_request(std::string_view body, bool enable_thinking);

// What the model is told: the instructions, the conversation so far, the input.
[[nodiscard]] std::vector<ChatMessage> whole_conversation(const std::string& instructions,
                                                          const std::vector<ChatMessage>& before,
                                                          const std::vector<ChatMessage>& input);

}  // namespace rockllama::api
