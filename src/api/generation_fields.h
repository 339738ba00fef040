// The fields that /v1/chat/completions and /v1/completions share. Pure.
#pragma once

#include "api/field_reader.h"
#include "service/completions.h"

namespace rockllama::api {

// Likeliest tokens that may be asked for beside each one.
inline constexpr double kMaxTopLogprobs = 20;

// A completion request as its client means it.
struct CompletionCall {
  CompletionRequest request{};
  bool stream = false;
  bool include_usage = false;  // in the last chunk of a stream
  uint32_t choices = 1;        // answers to the one prompt
};

// Everything but the prompt. `fields` reads `body`; faults are left there.
void read_generation_fields(FieldReader* fields, const Json& body, CompletionCall* call);

}  // namespace rockllama::api
