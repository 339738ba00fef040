// Completion events as JSON, in the words of a dialect: whole responses, and the events of a stream. Pure; one thread
// at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/json_text.h"
#include "service/completions.h"

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

class CompletionEncoder {
 public:
  // `created` in Unix seconds. With `include_usage` every chunk but the last has a null usage.
  CompletionEncoder(const Dialect& dialect, const std::string& request_id, int64_t created, bool include_usage);

  // Before the first chunk: which model answers.
  void set_model(const std::string& model);

  [[nodiscard]] std::string whole(const std::string& text, const CompletionDone& done) const;

  // Server-sent events. The opening one is empty where the dialect has none.
  [[nodiscard]] std::string opening() const;
  [[nodiscard]] std::string text(std::string_view text) const;
  // The finish chunk, the usage where it was asked for, [DONE].
  [[nodiscard]] std::string ending(const CompletionDone& done) const;

 private:
  [[nodiscard]] OrderedJson chunk(const OrderedJson& choices) const;
  [[nodiscard]] OrderedJson chunk_choice(const OrderedJson& delta, const OrderedJson& finish_reason) const;

  Dialect dialect_;
  std::string id_;
  int64_t created_;
  bool include_usage_;
  std::string model_;
  // A text chunk is these around the quoted text: no JSON tree for every token.
  std::string before_text_;
  std::string after_text_;
};

}  // namespace rockllama::api
