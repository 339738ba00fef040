#include "api/token_request.h"

#include <utility>

#include "api/field_reader.h"
#include "api/token_ids.h"

namespace rockllama::api {
namespace {

// As a text, or as bytes where it ends inside a character.
OrderedJson piece_json(const std::string& piece) {
  if (is_utf8(piece)) return piece;
  OrderedJson bytes = OrderedJson::array();
  for (const char c : piece) bytes.push_back(static_cast<unsigned char>(c));
  return bytes;
}

}  // namespace

Result<TokenizeCall> parse_tokenize_request(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return fail(json.error());
  FieldReader fields(*json);
  TokenizeCall call{.model = fields.string("model").value_or("")};
  const auto content = fields.string("content");
  if (!content) fields.bad("content", "must be a string");
  call.question = {.text = content.value_or(""),
                   .add_special = fields.boolean("add_special").value_or(false),
                   .parse_special = fields.boolean("parse_special").value_or(true)};
  call.with_pieces = fields.boolean("with_pieces").value_or(false);
  if (fields.error()) return fail(*fields.error());
  return call;
}

Result<DetokenizeCall> parse_detokenize_request(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return fail(json.error());
  FieldReader fields(*json);
  DetokenizeCall call{.model = fields.string("model").value_or("")};
  const Json* tokens = fields.find("tokens");
  auto ids = tokens == nullptr ? std::nullopt : read_token_ids(*tokens);
  if (ids) {
    call.question.tokens = std::move(*ids);
  } else {
    fields.bad("tokens", "must be a list of token ids");
  }
  if (fields.error()) return fail(*fields.error());
  return call;
}

OrderedJson tokens_json(const Tokenized& tokenized, bool with_pieces) {
  OrderedJson list = OrderedJson::array();
  for (size_t i = 0; i < tokenized.tokens.size(); ++i) {
    const int32_t id = tokenized.tokens[i];
    list.push_back(with_pieces ? OrderedJson{{"id", id}, {"piece", piece_json(tokenized.pieces[i])}} : OrderedJson(id));
  }
  return {{"tokens", std::move(list)}};
}

}  // namespace rockllama::api
