// The body of POST /v1/embeddings. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "domain/question.h"

namespace rockllama::api {

struct EmbeddingsCall {
  std::string model{};  // as the client wrote it; empty = none
  EmbeddingsQuestion question{};
  bool as_base64 = false;
  std::optional<int32_t> dimensions{};
};

// kInvalidArgument with the path of the field at fault.
[[nodiscard]] Result<EmbeddingsCall> parse_embeddings_request(std::string_view body);

}  // namespace rockllama::api
