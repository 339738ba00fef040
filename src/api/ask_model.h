// The routes of questions to models: from a body to its HTTP response and its log line.
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

// Reads the body of a request.
using ReadQuestion = std::function<Result<ModelCall>(const std::string& body)>;

// POST `path`. `questions` outlives the router.
void add_question(http::Router& router, Questions* questions, const char* path, ReadQuestion read);

}  // namespace rockllama::api
