// Tokens and templates without a run: /tokenize, /detokenize, /apply-template, and the count of a chat's tokens.
#include <utility>

#include "api/ask_model.h"
#include "api/chat_request.h"
#include "api/token_request.h"

namespace rockllama::api {
namespace {

Result<ModelCall> tokenize_call(const std::string& body) {
  auto call = parse_tokenize_request(body);
  if (!call) return fail(call.error());
  const auto to_json = [with_pieces = call->with_pieces](const QuestionDone& done) -> Result<OrderedJson> {
    return tokens_json(std::get<Tokenized>(done.answer), with_pieces);
  };
  return ModelCall{call->model, std::move(call->question), to_json};
}

Result<ModelCall> detokenize_call(const std::string& body) {
  auto call = parse_detokenize_request(body);
  if (!call) return fail(call.error());
  const auto to_json = [](const QuestionDone& done) -> Result<OrderedJson> {
    return OrderedJson{{"content", std::get<PlainText>(done.answer).text}};
  };
  return ModelCall{call->model, std::move(call->question), to_json};
}

Result<ModelCall> template_call(const std::string& body, bool enable_thinking) {
  auto call = parse_chat_request(body, enable_thinking);
  if (!call) return fail(call.error());
  const auto to_json = [](const QuestionDone& done) -> Result<OrderedJson> {
    return OrderedJson{{"prompt", std::get<PlainText>(done.answer).text}};
  };
  auto& chat = std::get<ChatPrompt>(call->request.prompt);
  return ModelCall{call->request.model, TemplateQuestion{std::move(chat)}, to_json};
}

}  // namespace

void add_tokens(http::Router& router, const Services& services) {
  add_question(router, services.questions, "/tokenize", tokenize_call);
  add_question(router, services.questions, "/detokenize", detokenize_call);
  add_question(
      router, services.questions, "/apply-template",
      [thinking = services.enable_thinking](const std::string& body) { return template_call(body, thinking); });
}

}  // namespace rockllama::api
