// Answers as chat completions and text completions have them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/answer_encoder.h"
#include "api/json_text.h"

namespace rockllama::api {

// What the two completion endpoints call things.
struct Dialect {
  const char* id_prefix;
  const char* object;        // of a whole response
  const char* chunk_object;  // of a chunk
  bool is_chat;              // message and delta with a role, or a bare text
};
inline constexpr Dialect kChatDialect{"chatcmpl-", "chat.completion", "chat.completion.chunk", true};
inline constexpr Dialect kTextDialect{"cmpl-", "text_completion", "text_completion", false};

class CompletionEncoder : public AnswerEncoder {
 public:
  struct Options {
    Dialect dialect = kChatDialect;
    std::string request_id{};
    int64_t created = 0;         // Unix seconds
    uint32_t choices = 1;        // at least 1
    bool include_usage = false;  // every chunk but the last has a null usage
    bool logprobs = false;       // were asked for
    std::string service_tier{};  // told as it was asked for; empty = not at all
  };
  explicit CompletionEncoder(const Options& options);

  void set_model(const std::string& model, const std::string& fingerprint) override;
  [[nodiscard]] std::string whole(const std::vector<ChoiceAnswer>& choices, const CompletionDone& done) override;
  [[nodiscard]] std::string opening(uint32_t choice) override;
  [[nodiscard]] std::string piece(uint32_t choice, const AnswerPiece& piece) override;
  [[nodiscard]] std::string choice_ending(uint32_t choice, FinishReason reason,
                                          const std::vector<std::string>& warnings) override;
  // The usage where it was asked for, [DONE].
  [[nodiscard]] std::string ending(const CompletionDone& done) override;
  [[nodiscard]] std::string failure(const Error& error) override;

 private:
  // A text chunk is these around the quoted text: no JSON tree for every token.
  struct TextChunk {
    std::string before;
    std::string after;
    size_t characters = 0;  // that were told with logprobs
  };
  [[nodiscard]] TextChunk text_chunk(uint32_t choice) const;
  // What every object begins with.
  [[nodiscard]] OrderedJson head(const char* object, const std::string& model) const;
  [[nodiscard]] OrderedJson chunk(const OrderedJson& choices) const;
  [[nodiscard]] OrderedJson chunk_choice(uint32_t choice, const OrderedJson& delta, const OrderedJson& reason) const;
  [[nodiscard]] OrderedJson whole_choice(uint32_t index, const ChoiceAnswer& answer) const;
  [[nodiscard]] OrderedJson logprobs_json(const std::vector<TokenLogprobs>& logprobs, size_t* characters) const;

  Options options_;
  std::string id_;
  std::string model_;
  std::string fingerprint_;             // as it is told
  std::vector<TextChunk> text_chunks_;  // of each choice
};

}  // namespace rockllama::api
