// From a parsed completion request to a running generation with its response.
#pragma once

#include <memory>

#include "api/answer_encoder.h"
#include "api/api.h"
#include "api/completion_encoder.h"
#include "api/generation_fields.h"

namespace rockllama::api {

// Answers the request, now or later: with the generation, or with the error of `call`. Executor only.
void start_generation(const Services& services, const Dialect& dialect, Result<CompletionCall> call,
                      const http::Request& request, const std::shared_ptr<http::BodyWriter>& writer);
// The same of a call that is fine, in the words of `encoder`.
void start_generation(const Services& services, CompletionCall call, std::unique_ptr<AnswerEncoder> encoder,
                      const http::Request& request, const std::shared_ptr<http::BodyWriter>& writer);
// With `error`, and its line in the log.
void refuse_generation(const Error& error, const http::Request& request, http::BodyWriter& writer);

}  // namespace rockllama::api
