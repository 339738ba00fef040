// Seeded conversations of every kind that people send: for the differential test. Pure.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "domain/chat.h"
#include "domain/prompt_cache.h"

namespace rockllama::test {

struct Conversation {
  std::string kind;                    // for messages of failed tests
  CacheLine line;                      // of the cache that it is held over
  std::vector<std::string> questions;  // one per turn; at least one
};

class ConversationMaker {
 public:
  explicit ConversationMaker(uint32_t seed) : random_(seed) {}
  // Some have more text than `context_tokens` tokens: to be shortened until they just fit.
  [[nodiscard]] Conversation next(uint32_t context_tokens);

 private:
  [[nodiscard]] uint32_t pick(uint32_t below) { return std::uniform_int_distribution<uint32_t>(0, below - 1)(random_); }
  [[nodiscard]] std::string sentence();
  [[nodiscard]] std::string text(uint32_t sentences);
  [[nodiscard]] CacheLine line(uint32_t kind, uint32_t context_tokens);

  std::mt19937 random_;
  uint32_t next_kind_ = 0;
};

}  // namespace rockllama::test
