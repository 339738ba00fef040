// The output of a response: items that the pieces of an answer make, one after the other. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/json_text.h"
#include "domain/generation.h"

namespace rockllama::api {

struct OutputItem {
  enum class Kind : uint8_t { kReasoning, kMessage, kFunctionCall };
  Kind kind = Kind::kMessage;
  std::string id{};
  std::string text{};     // what is thought or said, or the arguments of a call
  std::string call_id{};  // of a call, as the next two
  std::string name{};
  uint32_t call_index = 0;                // in its answer
  std::vector<TokenLogprobs> logprobs{};  // of a message

  // `status`: in_progress, completed or incomplete.
  [[nodiscard]] OrderedJson json(const char* status) const;
  // The one part that reasoning and messages consist of.
  [[nodiscard]] OrderedJson part() const;
};

class ResponseOutput {
 public:
  // What a piece adds to an item: the last one, or a new one behind it.
  struct News {
    size_t item = 0;
    bool is_new = false;
    std::string text{};
    std::vector<TokenLogprobs> logprobs{};
  };

  // `suffix`: what the ids of the items have in common.
  explicit ResponseOutput(std::string suffix) : suffix_(std::move(suffix)) {}

  std::vector<News> add(const AnswerPiece& piece);
  [[nodiscard]] const std::vector<OutputItem>& items() const { return items_; }
  // The last item is `last_status`, all others are completed.
  [[nodiscard]] OrderedJson json(const char* last_status) const;
  // What a conversation that goes on has of it: calls with arguments that were cut off are left out.
  [[nodiscard]] ChatMessage message() const;

 private:
  void open(OutputItem item);
  void add_text(OutputItem::Kind kind, const std::string& text, std::vector<News>* news);
  void add_call(const ToolCallDelta& delta, std::vector<News>* news);

  std::string suffix_;
  std::vector<OutputItem> items_;
};

}  // namespace rockllama::api
