// Token pieces to the text that a client may see: whole characters, and nothing of a stop string. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "worker/utf8_decoder.h"

namespace rockllama {

class TextAssembler {
 public:
  // Empty stop strings are ignored.
  explicit TextAssembler(std::vector<std::string> stops);

  struct Output {
    std::string text;
    bool stopped = false;  // a stop string is complete: this is the last text
  };
  // What may be seen now. Held back: an incomplete character, and the longest end that may become a stop string. The
  // stop string that is complete first counts, so the answer does not depend on where the pieces are cut.
  [[nodiscard]] Output push(std::string_view bytes);
  // What was held back; nothing after a stop.
  [[nodiscard]] std::string finish();

 private:
  [[nodiscard]] size_t stop_at_end() const;
  [[nodiscard]] size_t held_back() const;

  std::vector<std::string> stops_;
  Utf8Decoder decoder_;
  std::string pending_;  // not seen yet
  bool stopped_ = false;
};

}  // namespace rockllama
