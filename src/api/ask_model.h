// From a parsed question to its HTTP response and its log line.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/api.h"
#include "api/json_text.h"
#include "service/questions.h"

namespace rockllama::api {

struct ModelCall {
  std::string model{};  // as the client wrote it; empty = none
  Question question{};
  // The body of the response, or why there is none.
  std::function<Result<OrderedJson>(const QuestionDone&)> to_json{};
};

// Answers the request, now or later, also with the error of `call`. Executor only.
void ask_model(Questions* questions, Result<ModelCall> call, const http::Request& request,
               const std::shared_ptr<http::BodyWriter>& writer);

}  // namespace rockllama::api
