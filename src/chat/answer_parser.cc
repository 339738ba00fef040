#include "chat/answer_parser.h"

#include <exception>
#include <random>
#include <utility>

#include "chat/answer_syntax.h"

namespace rockllama {
namespace {

constexpr std::string_view kIdCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr size_t kIdLength = 24;

// What stands behind the first `told` bytes, which do not change any more.
std::string behind(const std::string& whole, bool skip_space, size_t* told) {
  const size_t begin = skip_space && *told == 0 ? whole.find_first_not_of(" \t\r\n") : *told;
  if (begin >= whole.size()) return {};
  *told = whole.size();
  return whole.substr(begin);
}

std::string new_call_id() {
  std::random_device random;
  std::uniform_int_distribution<size_t> any(0, kIdCharacters.size() - 1);
  std::string id = "call_";
  for (size_t i = 0; i < kIdLength; ++i) id += kIdCharacters[any(random)];
  return id;
}

}  // namespace

struct AnswerParser::Message : common_chat_msg {};

AnswerParser::AnswerParser(std::shared_ptr<const AnswerSyntax> syntax) : syntax_(std::move(syntax)) {}

AnswerPiece AnswerParser::push(std::string_view text) {
  if (text.empty()) return {};
  answer_ += text;
  Message message;
  return read(/*partial=*/true, &message) ? news_of(message, /*last=*/false) : AnswerPiece{};
}

AnswerPiece AnswerParser::finish(std::string_view text, bool complete) {
  answer_ += text;
  AnswerPiece piece;
  Message message;
  const bool whole = complete && read(/*partial=*/false, &message);
  if (whole || read(/*partial=*/true, &message)) piece = news_of(message, /*last=*/true);
  const bool silent = told_text_ == 0 && told_reasoning_ == 0 && told_calls_.empty();
  return silent && !whole ? AnswerPiece{.text = answer_} : piece;
}

bool AnswerParser::read(bool partial, Message* message) const try {
  static_cast<common_chat_msg&>(*message) = common_chat_parse(answer_, partial, syntax_->params);
  return true;
} catch (const std::exception&) {
  return false;
}

AnswerPiece AnswerParser::news_of(const Message& message, bool last) {
  AnswerPiece piece;
  piece.reasoning = behind(message.reasoning_content, syntax_->reasons, &told_reasoning_);
  piece.text = behind(message.content, syntax_->reasons, &told_text_);
  add_calls(message, last, &piece);
  return piece;
}

// A name may still grow until its arguments begin.
void AnswerParser::add_calls(const Message& message, bool last, AnswerPiece* piece) {
  over_ = over_ || (syntax_->one_call && message.tool_calls.size() > 1);
  const size_t wanted = over_ ? 1 : message.tool_calls.size();
  for (size_t i = 0; i < wanted; ++i) {
    const common_chat_tool_call& call = message.tool_calls[i];
    const bool has_name = !call.name.empty() && (last || !call.arguments.empty() || i + 1 < message.tool_calls.size());
    if (!has_name) return;
    ToolCallDelta delta{.index = static_cast<uint32_t>(i)};
    if (i == told_calls_.size()) {
      delta.id = call.id.empty() ? new_call_id() : call.id;
      delta.name = call.name;
      told_calls_.push_back(0);
    }
    delta.arguments = behind(call.arguments, false, &told_calls_[i]);
    if (!delta.name.empty() || !delta.arguments.empty()) piece->tool_calls.push_back(std::move(delta));
  }
}

}  // namespace rockllama
