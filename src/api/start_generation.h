// From a parsed completion request to a running generation with its response.
#pragma once

#include <memory>

#include "api/api.h"
#include "api/completion_encoder.h"
#include "api/generation_fields.h"

namespace rockllama::api {

// Answers the request, now or later: with the generation, or with the error of `call`. Executor only.
void start_generation(const Services& services, const Dialect& dialect, Result<CompletionCall> call,
                      const http::Request& request, const std::shared_ptr<http::BodyWriter>& writer);

}  // namespace rockllama::api
