// The bodies of /tokenize and /detokenize. Pure.
#pragma once

#include <string>
#include <string_view>

#include "api/json_text.h"
#include "base/result.h"
#include "domain/question.h"

namespace rockllama::api {

struct TokenizeCall {
  std::string model{};  // as the client wrote it; empty = none
  TokenizeQuestion question{};
  bool with_pieces = false;
};

struct DetokenizeCall {
  std::string model{};
  DetokenizeQuestion question{};
};

// kInvalidArgument with the path of the field at fault.
[[nodiscard]] Result<TokenizeCall> parse_tokenize_request(std::string_view body);
[[nodiscard]] Result<DetokenizeCall> parse_detokenize_request(std::string_view body);

// Ids; with pieces objects of id and piece, which is a list of bytes where it is no UTF-8 by itself.
[[nodiscard]] OrderedJson tokens_json(const Tokenized& tokenized, bool with_pieces);

}  // namespace rockllama::api
