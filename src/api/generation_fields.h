// The fields that /v1/chat/completions and /v1/completions share. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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
  uint32_t choices = 1;        // answers to each prompt
  uint32_t candidates = 0;     // generations for each prompt, of which the best are told; 0 = as many as `choices`
  std::vector<TextPrompt> further_prompts{};  // answered like the one of `request`
  std::string service_tier{};                 // as the client wrote it; empty = none

  [[nodiscard]] uint32_t prompts() const { return 1 + static_cast<uint32_t>(further_prompts.size()); }
  [[nodiscard]] uint32_t generations_for_each() const { return candidates == 0 ? choices : candidates; }
};

// Everything but the prompt. `fields` reads `body`; faults are left there.
void read_generation_fields(FieldReader* fields, const Json& body, CompletionCall* call);

}  // namespace rockllama::api
