// Finds the borders of caches' lines, with the cuts up to them. Owned by the prepare thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "chat/border.h"
#include "chat/chat_template.h"
#include "domain/prompt_cache.h"
#include "tokenizer/vocabulary.h"
#include "worker/border_memo.h"

namespace rockllama {

// What preparing needs of a loaded model.
struct PreparerModel {
  Tokenize tokenize_text;
  Tokenize tokenize_chat;
  Result<ChatTemplate> chat_template;  // or why chats cannot be answered
  uint32_t context_tokens = 0;
  uint32_t block_tokens = 0;
  bool counts_bytes = false;               // there is no tokenizer: each byte of a text stands for a token
  std::optional<Vocabulary> vocabulary{};  // unless counts_bytes
  uint32_t embedding_tokens = 0;           // of one input that is embedded
};

// Of a prompt of `size` tokens, or bytes, which are more or less four for each token.
[[nodiscard]] uint32_t token_count(const PreparerModel& model, size_t size);

// The texts of a line joined byte for byte; kUnsupported where it holds messages.
[[nodiscard]] Result<std::string> raw_text(const CacheLine& line);

// `prompt` behind the line. kUnsupported without a template, or for tools that it does not print; else fails as it
// does.
[[nodiscard]] Result<RenderedChat> render_chat(const PreparerModel& model, const CacheLine& line,
                                               const ChatPrompt& prompt);

class LineBorders {
 public:
  explicit LineBorders(std::shared_ptr<const PreparerModel> model);

  // Remembered for the lines that were asked for last. kUnsupported: a chat without a template, messages in a raw
  // rendering; else as chat_border and text_border.
  [[nodiscard]] Result<std::shared_ptr<const LineBorder>> get(const CacheLine& line, StateFormat format);

 private:
  [[nodiscard]] Result<LineBorder> find(const CacheLine& line, StateFormat format);
  [[nodiscard]] Result<Border> border_of(const CacheLine& line, StateFormat format) const;

  std::shared_ptr<const PreparerModel> model_;
  BorderMemo memo_;
};

}  // namespace rockllama
