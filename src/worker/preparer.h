// The first step of a request: render, tokenize, count, choose the cache, plan the cuts. So context errors and token
// counts are known before any prefill. Owned by the prepare thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "chat/border.h"
#include "chat/chat_template.h"
#include "domain/prompt_cache.h"
#include "engine/engine.h"
#include "protocol/messages.h"
#include "worker/border_memo.h"

namespace rockllama {

struct PreparerModel {
  Tokenize tokenize_text;
  Tokenize tokenize_chat;
  Result<ChatTemplate> chat_template;  // or why chats cannot be answered
  uint32_t context_tokens = 0;
  uint32_t block_tokens = 0;
};

// A request that can be started.
struct PreparedGeneration {
  protocol::Prepared answer;
  GenerationTask task;  // without credit and without the state's file
  std::vector<std::string> stop;
  std::string reason;  // why not all of the cache is reused, where a state serves
};

// What save_state prefills.
struct StatePlan {
  std::vector<int32_t> tokens;
  std::vector<uint32_t> cuts;
  std::string note;  // for people
};

class Preparer {
 public:
  explicit Preparer(PreparerModel model);

  // Of several caches the one of the longest text that fits the context serves; whether it has a state does not matter,
  // because the answer must not depend on that. kContextLengthExceeded, kInvalidArgument (an empty prompt, messages
  // that the template refuses), kUnsupported (a chat without a template).
  [[nodiscard]] Result<PreparedGeneration> prepare(const protocol::Prepare& command);
  // kContextLengthExceeded; kUnsupported where nothing of the text stays the same whatever follows it.
  [[nodiscard]] Result<StatePlan> plan_state(const CacheLine& line, StateFormat format);
  // Which states exist; requests that begin with one of them find it by themselves.
  void know(protocol::KnownStates states);

 private:
  using TextBorder = std::shared_ptr<const Border>;

  [[nodiscard]] Result<PreparedGeneration> prepare_with(const protocol::Prepare& command, const CacheReference* cache);
  [[nodiscard]] Result<std::vector<int32_t>> tokenize(const ChatPrompt& prompt, const CacheReference* cache) const;
  [[nodiscard]] Result<std::vector<int32_t>> tokenize(const TextPrompt& prompt, const CacheReference* cache) const;
  [[nodiscard]] Result<TextBorder> border_of(const protocol::Prepare& command, const CacheReference* cache);
  [[nodiscard]] Result<TextBorder> border_of(const std::string& text, StateFormat format);

  PreparerModel model_;
  BorderMemo borders_;
};

}  // namespace rockllama
