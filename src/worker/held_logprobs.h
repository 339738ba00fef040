// Logprobs of tokens whose text is held back: they are told with the text. Pure.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "domain/generation.h"

namespace rockllama {

class HeldLogprobs {
 public:
  // `bytes`: what the token added to the raw text.
  void hold(TokenLogprobs token, size_t bytes) {
    held_bytes_ += bytes;
    tokens_.push_back({std::move(token), held_bytes_});
  }
  // The tokens that are told whole once `shown` more bytes of text are. What a stop string swallows is never told.
  [[nodiscard]] std::vector<TokenLogprobs> release(size_t shown) {
    shown_bytes_ += shown;
    std::vector<TokenLogprobs> told;
    for (; !tokens_.empty() && tokens_.front().end <= shown_bytes_; tokens_.pop_front()) {
      told.push_back(std::move(tokens_.front().token));
    }
    return told;
  }

 private:
  struct Held {
    TokenLogprobs token;
    size_t end;  // in the raw text
  };
  std::deque<Held> tokens_;
  size_t held_bytes_ = 0;
  size_t shown_bytes_ = 0;
};

}  // namespace rockllama
