// The one log line of a request to a model.
#pragma once

#include <string>

#include "api/json_text.h"
#include "base/result.h"
#include "http/message.h"
#include "service/completions.h"

namespace rockllama::api {

struct CompletionLog {
  std::string request_id{};
  std::string caller{};
  std::string model{};
  CacheUse cache{};
  uint32_t prompt_tokens = 0;
  uint32_t completion_tokens = 0;
  double ttft_ms = 0;
  double total_ms = 0;
  double tokens_per_second = 0;
  int status = 200;
  std::string error{};  // empty = none
};

// The name of the request's API key, else its address.
[[nodiscard]] std::string caller_of(const http::Request& request);

// One line, whatever clients put into the strings.
[[nodiscard]] std::string log_line(const CompletionLog& log);

// Sends the body, or why there is none, and writes the line.
void respond_logged(CompletionLog log, const Result<OrderedJson>& body, http::BodyWriter& writer);

}  // namespace rockllama::api
