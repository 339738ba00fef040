#include "api/completion_encoder.h"

#include <utility>

#include "api/usage_json.h"

namespace rockllama::api {
namespace {

const char* to_string(FinishReason reason) { return reason == FinishReason::kLength ? "length" : "stop"; }

// A text that occurs once in a chunk, to cut it there.
constexpr std::string_view kMark = "\"\\u0001\"";

void add_warnings(const CompletionDone& done, OrderedJson* json) {
  if (!done.warnings.empty()) (*json)["warnings"] = done.warnings;
}

}  // namespace

CompletionEncoder::CompletionEncoder(const Dialect& dialect, const std::string& request_id, int64_t created,
                                     bool include_usage)
    : dialect_(dialect), id_(dialect.id_prefix + request_id), created_(created), include_usage_(include_usage) {}

void CompletionEncoder::set_model(const std::string& model) {
  model_ = model;
  const OrderedJson mark = "\x01";
  const OrderedJson delta = dialect_.is_chat ? OrderedJson{{"content", mark}} : mark;
  const std::string sample = sse_event(to_text(chunk(OrderedJson::array({chunk_choice(delta, nullptr)}))));
  // Backwards: id and model stand before the text, and might hold anything.
  const size_t mark_at = sample.rfind(kMark);
  before_text_ = sample.substr(0, mark_at);
  after_text_ = sample.substr(mark_at + kMark.size());
}

OrderedJson CompletionEncoder::chunk(const OrderedJson& choices) const {
  OrderedJson json = {
      {"id", id_}, {"object", dialect_.chunk_object}, {"created", created_}, {"model", model_}, {"choices", choices}};
  if (include_usage_) json["usage"] = nullptr;
  return json;
}

OrderedJson CompletionEncoder::chunk_choice(const OrderedJson& delta, const OrderedJson& finish_reason) const {
  return {{"index", 0},
          {dialect_.is_chat ? "delta" : "text", delta},
          {"logprobs", nullptr},
          {"finish_reason", finish_reason}};
}

std::string CompletionEncoder::whole(const std::string& text, const CompletionDone& done) const {
  OrderedJson choice = {{"index", 0}};
  if (dialect_.is_chat) {
    choice["message"] = {{"role", "assistant"}, {"content", text}};
  } else {
    choice["text"] = text;
  }
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = to_string(done.reason);
  OrderedJson json = {{"id", id_},
                      {"object", dialect_.object},
                      {"created", created_},
                      {"model", done.model},
                      {"choices", OrderedJson::array({std::move(choice)})},
                      {"usage", usage_json(done)}};
  add_warnings(done, &json);
  return to_text(json);
}

std::string CompletionEncoder::opening() const {
  if (!dialect_.is_chat) return {};
  const OrderedJson delta = {{"role", "assistant"}, {"content", ""}};
  return sse_event(to_text(chunk(OrderedJson::array({chunk_choice(delta, nullptr)}))));
}

std::string CompletionEncoder::text(std::string_view text) const {
  const std::string json = quoted(text);
  std::string event;
  event.reserve(before_text_.size() + json.size() + after_text_.size());
  return event.append(before_text_).append(json).append(after_text_);
}

std::string CompletionEncoder::ending(const CompletionDone& done) const {
  const OrderedJson nothing = dialect_.is_chat ? OrderedJson::object() : OrderedJson("");
  OrderedJson finish = chunk(OrderedJson::array({chunk_choice(nothing, to_string(done.reason))}));
  add_warnings(done, &finish);
  std::string events = sse_event(to_text(finish));
  if (include_usage_) {
    OrderedJson last = chunk(OrderedJson::array());
    last["usage"] = usage_json(done);
    events += sse_event(to_text(last));
  }
  return events.append(kSseDone);
}

}  // namespace rockllama::api
