#include "api/response_output.h"

#include <utility>

#include "api/logprobs_json.h"

namespace rockllama::api {
namespace {

using Kind = OutputItem::Kind;

const char* id_prefix(Kind kind) {
  switch (kind) {
    case Kind::kReasoning:
      return "rs_";
    case Kind::kFunctionCall:
      return "fc_";
    case Kind::kMessage:
      break;
  }
  return "msg_";
}

}  // namespace

OrderedJson OutputItem::part() const {
  if (kind == Kind::kReasoning) return {{"type", "reasoning_text"}, {"text", text}};
  return {{"type", "output_text"},
          {"annotations", OrderedJson::array()},
          {"logprobs", chat_logprobs_json(logprobs).at("content")},
          {"text", text}};
}

OrderedJson OutputItem::json(const char* status) const {
  const bool is_begun = !text.empty();
  const OrderedJson parts = is_begun ? OrderedJson::array({part()}) : OrderedJson::array();
  switch (kind) {
    case Kind::kReasoning:
      return {
          {"id", id}, {"type", "reasoning"}, {"summary", OrderedJson::array()}, {"content", parts}, {"status", status}};
    case Kind::kFunctionCall:
      return {{"id", id},     {"type", "function_call"}, {"status", status}, {"call_id", call_id},
              {"name", name}, {"arguments", text}};
    case Kind::kMessage:
      break;
  }
  return {{"id", id}, {"type", "message"}, {"status", status}, {"role", "assistant"}, {"content", parts}};
}

std::vector<ResponseOutput::News> ResponseOutput::add(const AnswerPiece& piece) {
  std::vector<News> news;
  add_text(Kind::kReasoning, piece.reasoning, &news);
  add_text(Kind::kMessage, piece.text, &news);
  if (!piece.text.empty()) {
    items_.back().logprobs.insert(items_.back().logprobs.end(), piece.logprobs.begin(), piece.logprobs.end());
    news.back().logprobs = piece.logprobs;
  }
  for (const ToolCallDelta& delta : piece.tool_calls) add_call(delta, &news);
  return news;
}

void ResponseOutput::open(OutputItem item) {
  item.id = id_prefix(item.kind) + suffix_ + "_" + std::to_string(items_.size());
  items_.push_back(std::move(item));
}

void ResponseOutput::add_text(Kind kind, const std::string& text, std::vector<News>* news) {
  if (text.empty()) return;
  const bool is_new = items_.empty() || items_.back().kind != kind;
  if (is_new) open({.kind = kind});
  items_.back().text += text;
  news->push_back({items_.size() - 1, is_new, text});
}

// Calls come one after the other, each in one row.
void ResponseOutput::add_call(const ToolCallDelta& delta, std::vector<News>* news) {
  const bool is_new =
      items_.empty() || items_.back().kind != Kind::kFunctionCall || items_.back().call_index != delta.index;
  if (is_new) {
    open({.kind = Kind::kFunctionCall, .call_id = delta.id, .name = delta.name, .call_index = delta.index});
  }
  items_.back().text += delta.arguments;
  news->push_back({items_.size() - 1, is_new, delta.arguments});
}

OrderedJson ResponseOutput::json(const char* last_status) const {
  OrderedJson list = OrderedJson::array();
  for (const OutputItem& item : items_) list.push_back(item.json(&item == &items_.back() ? last_status : "completed"));
  return list;
}

ChatMessage ResponseOutput::message() const {
  ChatMessage message{.role = "assistant", .content = ""};
  for (const OutputItem& item : items_) {
    if (item.kind == Kind::kReasoning) message.reasoning_content += item.text;
    if (item.kind == Kind::kMessage) message.content += item.text;
    if (item.kind == Kind::kFunctionCall && Json::accept(item.text)) {
      message.tool_calls.push_back({item.call_id, item.name, item.text});
    }
  }
  return message;
}

}  // namespace rockllama::api
