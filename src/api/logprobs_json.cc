#include "api/logprobs_json.h"

#include <string>
#include <utility>

#include "base/characters.h"

namespace rockllama::api {
namespace {

OrderedJson token_json(const TokenLogprob& token) {
  OrderedJson bytes = OrderedJson::array();
  for (const char byte : token.piece) bytes.push_back(static_cast<uint8_t>(byte));
  return {{"token", token.piece}, {"logprob", token.logprob}, {"bytes", std::move(bytes)}};
}

}  // namespace

OrderedJson chat_logprobs_json(const std::vector<TokenLogprobs>& tokens) {
  OrderedJson content = OrderedJson::array();
  for (const TokenLogprobs& token : tokens) {
    OrderedJson json = token_json(token.chosen);
    json["top_logprobs"] = OrderedJson::array();
    for (const TokenLogprob& top : token.top) json["top_logprobs"].push_back(token_json(top));
    content.push_back(std::move(json));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

OrderedJson text_logprobs_json(const std::vector<TokenLogprobs>& tokens, size_t* characters) {
  OrderedJson pieces = OrderedJson::array();
  OrderedJson logprobs = OrderedJson::array();
  OrderedJson tops = OrderedJson::array();
  OrderedJson offsets = OrderedJson::array();
  bool any_top = false;
  for (const TokenLogprobs& token : tokens) {
    pieces.push_back(token.chosen.piece);
    logprobs.push_back(token.chosen.logprob);
    OrderedJson top = OrderedJson::object();
    for (const TokenLogprob& one : token.top) top[one.piece] = one.logprob;
    any_top = any_top || !token.top.empty();
    tops.push_back(std::move(top));
    offsets.push_back(*characters);
    *characters += count_characters(token.chosen.piece);
  }
  return {{"tokens", std::move(pieces)},
          {"token_logprobs", std::move(logprobs)},
          {"top_logprobs", any_top ? std::move(tops) : OrderedJson(nullptr)},
          {"text_offset", std::move(offsets)}};
}

}  // namespace rockllama::api
