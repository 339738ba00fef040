#include "api/completion_encoder.h"

#include <utility>

#include "api/errors.h"
#include "api/logprobs_json.h"
#include "api/usage_json.h"

namespace rockllama::api {
namespace {

const char* to_string(FinishReason reason) {
  switch (reason) {
    case FinishReason::kLength:
      return "length";
    case FinishReason::kToolCalls:
      return "tool_calls";
    case FinishReason::kStop:
      break;
  }
  return "stop";
}

constexpr size_t kFingerprintDigits = 16;

// A text that occurs once in a chunk, to cut it there.
constexpr std::string_view kMark = "\"\\u0001\"";

OrderedJson message_json(const AnswerPiece& said) {
  OrderedJson message = {{"role", "assistant"}, {"content", said.text}};
  if (!said.reasoning.empty()) message["reasoning_content"] = said.reasoning;
  if (said.tool_calls.empty()) return message;
  if (said.text.empty()) message["content"] = nullptr;
  for (const ToolCallDelta& call : said.tool_calls) {
    message["tool_calls"].push_back(
        {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  }
  return message;
}

// Id, type and name come with the first part of a call.
OrderedJson tool_call_delta_json(const ToolCallDelta& delta) {
  OrderedJson json = {{"index", delta.index}};
  OrderedJson function = OrderedJson::object();
  if (!delta.name.empty()) {
    json["id"] = delta.id;
    json["type"] = "function";
    function["name"] = delta.name;
  }
  function["arguments"] = delta.arguments;
  json["function"] = std::move(function);
  return json;
}

OrderedJson delta_json(const AnswerPiece& piece) {
  OrderedJson delta = OrderedJson::object();
  if (!piece.reasoning.empty()) delta["reasoning_content"] = piece.reasoning;
  if (!piece.text.empty()) delta["content"] = piece.text;
  for (const ToolCallDelta& call : piece.tool_calls) delta["tool_calls"].push_back(tool_call_delta_json(call));
  return delta;
}

void add_warnings(const std::vector<std::string>& warnings, OrderedJson* json) {
  if (!warnings.empty()) (*json)["warnings"] = warnings;
}

}  // namespace

CompletionEncoder::CompletionEncoder(const Options& options)
    : options_(options), id_(options.dialect.id_prefix + options.request_id) {}

void CompletionEncoder::set_model(const std::string& model, const std::string& fingerprint) {
  const std::string told = fingerprint.empty() ? "" : "fp_" + fingerprint.substr(0, kFingerprintDigits);
  if (!text_chunks_.empty() && model == model_ && told == fingerprint_) return;
  model_ = model;
  fingerprint_ = told;
  text_chunks_.clear();
  for (uint32_t choice = 0; choice < options_.choices; ++choice) text_chunks_.push_back(text_chunk(choice));
}

CompletionEncoder::TextChunk CompletionEncoder::text_chunk(uint32_t choice) const {
  const OrderedJson mark = "\x01";
  const OrderedJson delta = options_.dialect.is_chat ? OrderedJson{{"content", mark}} : mark;
  const std::string sample = sse_event(to_text(chunk(OrderedJson::array({chunk_choice(choice, delta, nullptr)}))));
  // Backwards: id and model stand before the text, and might hold anything.
  const size_t mark_at = sample.rfind(kMark);
  return {sample.substr(0, mark_at), sample.substr(mark_at + kMark.size())};
}

OrderedJson CompletionEncoder::head(const char* object, const std::string& model) const {
  OrderedJson json = {{"id", id_}, {"object", object}, {"created", options_.created}, {"model", model}};
  if (!fingerprint_.empty()) json["system_fingerprint"] = fingerprint_;
  if (!options_.service_tier.empty()) json["service_tier"] = options_.service_tier;
  return json;
}

OrderedJson CompletionEncoder::chunk(const OrderedJson& choices) const {
  OrderedJson json = head(options_.dialect.chunk_object, model_);
  json["choices"] = choices;
  if (options_.include_usage) json["usage"] = nullptr;
  return json;
}

OrderedJson CompletionEncoder::chunk_choice(uint32_t choice, const OrderedJson& delta,
                                            const OrderedJson& reason) const {
  return {{"index", choice},
          {options_.dialect.is_chat ? "delta" : "text", delta},
          {"logprobs", nullptr},
          {"finish_reason", reason}};
}

OrderedJson CompletionEncoder::logprobs_json(const std::vector<TokenLogprobs>& logprobs, size_t* characters) const {
  return options_.dialect.is_chat ? chat_logprobs_json(logprobs) : text_logprobs_json(logprobs, characters);
}

OrderedJson CompletionEncoder::whole_choice(uint32_t index, const ChoiceAnswer& answer) const {
  OrderedJson choice = {{"index", index}};
  if (options_.dialect.is_chat) {
    choice["message"] = message_json(answer.said);
  } else {
    choice["text"] = answer.said.text;
  }
  size_t characters = 0;
  choice["logprobs"] = options_.logprobs ? logprobs_json(answer.said.logprobs, &characters) : OrderedJson(nullptr);
  choice["finish_reason"] = to_string(answer.reason);
  return choice;
}

std::string CompletionEncoder::whole(const std::vector<ChoiceAnswer>& choices, const CompletionDone& done) {
  OrderedJson list = OrderedJson::array();
  for (const ChoiceAnswer& answer : choices) list.push_back(whole_choice(static_cast<uint32_t>(list.size()), answer));
  OrderedJson json = head(options_.dialect.object, done.model);
  json["choices"] = std::move(list);
  json["usage"] = usage_json(done);
  add_warnings(done.warnings, &json);
  return to_text(json);
}

std::string CompletionEncoder::opening(uint32_t choice) {
  if (!options_.dialect.is_chat) return {};
  const OrderedJson delta = {{"role", "assistant"}, {"content", ""}};
  return sse_event(to_text(chunk(OrderedJson::array({chunk_choice(choice, delta, nullptr)}))));
}

std::string CompletionEncoder::piece(uint32_t choice, const AnswerPiece& piece) {
  TextChunk& around = text_chunks_[choice];
  if (piece.logprobs.empty() && piece.reasoning.empty() && piece.tool_calls.empty()) {
    const std::string json = api::quoted(piece.text);
    std::string event;
    event.reserve(around.before.size() + json.size() + around.after.size());
    return event.append(around.before).append(json).append(around.after);
  }
  OrderedJson json =
      chunk_choice(choice, options_.dialect.is_chat ? delta_json(piece) : OrderedJson(piece.text), nullptr);
  if (!piece.logprobs.empty()) json["logprobs"] = logprobs_json(piece.logprobs, &around.characters);
  return sse_event(to_text(chunk(OrderedJson::array({std::move(json)}))));
}

std::string CompletionEncoder::choice_ending(uint32_t choice, FinishReason reason,
                                             const std::vector<std::string>& warnings) {
  const OrderedJson nothing = options_.dialect.is_chat ? OrderedJson::object() : OrderedJson("");
  OrderedJson finish = chunk(OrderedJson::array({chunk_choice(choice, nothing, to_string(reason))}));
  add_warnings(warnings, &finish);
  return sse_event(to_text(finish));
}

std::string CompletionEncoder::ending(const CompletionDone& done) {
  std::string events;
  if (options_.include_usage) {
    OrderedJson last = chunk(OrderedJson::array());
    last["usage"] = usage_json(done);
    events = sse_event(to_text(last));
  }
  return events.append(kSseDone);
}

std::string CompletionEncoder::failure(const Error& error) { return sse_event(to_text(error_json(error))); }

}  // namespace rockllama::api
