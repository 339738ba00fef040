#include "api/response_encoder.h"

#include <utility>

#include "api/errors.h"
#include "api/logprobs_json.h"
#include "api/usage_json.h"

namespace rockllama::api {
namespace {

using ItemKind = OutputItem::Kind;

const char* status_text(FinishReason reason) { return reason == FinishReason::kLength ? "incomplete" : "completed"; }

// Where an event belongs.
OrderedJson place_of(const OutputItem& item, size_t index) {
  OrderedJson place = {{"item_id", item.id}, {"output_index", index}};
  if (item.kind != ItemKind::kFunctionCall) place["content_index"] = 0;
  return place;
}

// The name of an item's text in the types of its events.
std::string text_type(ItemKind kind) {
  switch (kind) {
    case ItemKind::kReasoning:
      return "response.reasoning_text";
    case ItemKind::kFunctionCall:
      return "response.function_call_arguments";
    case ItemKind::kMessage:
      break;
  }
  return "response.output_text";
}

OrderedJson logprobs_list(const std::vector<TokenLogprobs>& logprobs) {
  return chat_logprobs_json(logprobs).at("content");
}

// {"code","message"}, with the few codes that clients know.
OrderedJson response_error(const Error& error) {
  const int status = status_of(error.code);
  const char* code = "server_error";
  if (status == 429) code = "rate_limit_exceeded";
  if (status >= 400 && status < 429) code = "invalid_prompt";
  return {{"code", code}, {"message", error_json(error).at("error").at("message")}};
}

}  // namespace

ResponseEncoder::ResponseEncoder(Options options)
    : options_(std::move(options)), id_("resp_" + options_.suffix), output_(options_.suffix) {}

std::string ResponseEncoder::event(std::string_view type, const OrderedJson& fields) {
  OrderedJson json = {{"type", type}, {"sequence_number", events_++}};
  json.update(fields);
  return std::string("event: ").append(type).append("\n").append(sse_event(to_text(json)));
}

OrderedJson ResponseEncoder::response(const char* status, OrderedJson output) const {
  OrderedJson json = {{"id", id_},
                      {"object", "response"},
                      {"created_at", options_.created},
                      {"status", status},
                      {"background", false},
                      {"error", nullptr},
                      {"incomplete_details", nullptr},
                      {"model", model_},
                      {"output", std::move(output)}};
  json.update(options_.echo);
  json["usage"] = nullptr;
  return json;
}

OrderedJson ResponseEncoder::finished(FinishReason reason, const CompletionDone& done) {
  model_ = done.model;
  OrderedJson json = response(status_text(reason), output_.json(status_text(reason)));
  if (reason == FinishReason::kLength) json["incomplete_details"] = {{"reason", "max_output_tokens"}};
  json["usage"] = response_usage_json(done);
  if (!done.warnings.empty()) json["warnings"] = done.warnings;
  if (options_.keep) options_.keep(id_, to_text(json), output_.message());
  return json;
}

std::string ResponseEncoder::whole(const std::vector<ChoiceAnswer>& choices, const CompletionDone& done) {
  const ChoiceAnswer& answer = choices.front();
  output_.add(answer.said);
  return to_text(finished(answer.reason, done));
}

std::string ResponseEncoder::opening(uint32_t /*choice*/) {
  opened_ = true;
  const OrderedJson begun = response("in_progress", OrderedJson::array());
  const std::string created = event("response.created", {{"response", begun}});
  return created + event("response.in_progress", {{"response", begun}});
}

std::string ResponseEncoder::piece(uint32_t /*choice*/, const AnswerPiece& piece) {
  std::string events;
  for (const ResponseOutput::News& news : output_.add(piece)) {
    // One after the other: each takes the next numbers.
    if (news.is_new) {
      events += item_ending(news.item, "completed");
      events += added(news.item);
    }
    events += delta(news);
  }
  return events;
}

// As it was before its text: what is told of it comes as deltas.
std::string ResponseEncoder::added(size_t index) {
  OutputItem begun = output_.items()[index];
  begun.text.clear();
  begun.logprobs.clear();
  std::string events =
      event("response.output_item.added", {{"output_index", index}, {"item", begun.json("in_progress")}});
  if (begun.kind == ItemKind::kFunctionCall) return events;
  OrderedJson part = place_of(begun, index);
  part["part"] = begun.part();
  return events + event("response.content_part.added", part);
}

std::string ResponseEncoder::delta(const ResponseOutput::News& news) {
  const OutputItem& item = output_.items()[news.item];
  if (news.text.empty()) return {};
  OrderedJson fields = place_of(item, news.item);
  fields["delta"] = news.text;
  if (item.kind == ItemKind::kMessage) fields["logprobs"] = logprobs_list(news.logprobs);
  return event(text_type(item.kind) + ".delta", fields);
}

std::string ResponseEncoder::item_ending(size_t items, const char* status) {
  if (ended_items_ >= items) return {};
  const size_t index = ended_items_++;
  const OutputItem& item = output_.items()[index];
  const bool is_call = item.kind == ItemKind::kFunctionCall;
  OrderedJson text = place_of(item, index);
  if (is_call) text["name"] = item.name;
  text[is_call ? "arguments" : "text"] = item.text;
  if (item.kind == ItemKind::kMessage) text["logprobs"] = logprobs_list(item.logprobs);
  std::string events = event(text_type(item.kind) + ".done", text);
  if (!is_call) {
    OrderedJson part = place_of(item, index);
    part["part"] = item.part();
    events += event("response.content_part.done", part);
  }
  return events + event("response.output_item.done", {{"output_index", index}, {"item", item.json(status)}});
}

std::string ResponseEncoder::choice_ending(uint32_t /*choice*/, FinishReason reason,
                                           const std::vector<std::string>& /*warnings*/) {
  reason_ = reason;
  return item_ending(output_.items().size(), status_text(reason));
}

std::string ResponseEncoder::ending(const CompletionDone& done) {
  const OrderedJson json = finished(reason_, done);
  return event(std::string("response.") + status_text(reason_), {{"response", json}});
}

std::string ResponseEncoder::failure(const Error& error) {
  const std::string begun = opened_ ? std::string() : opening(0);
  OrderedJson json = response("failed", output_.json("incomplete"));
  json["error"] = response_error(error);
  return begun + event("response.failed", {{"response", json}});
}

}  // namespace rockllama::api
