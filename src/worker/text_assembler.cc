#include "worker/text_assembler.h"

#include <algorithm>
#include <utility>

namespace rockllama {

TextAssembler::TextAssembler(std::vector<std::string> stops) : stops_(std::move(stops)) {
  std::erase(stops_, std::string());
}

TextAssembler::Output TextAssembler::push(std::string_view bytes) {
  for (const char byte : bytes) {
    const size_t before = pending_.size();
    decoder_.feed(static_cast<uint8_t>(byte), &pending_);
    const size_t stop = pending_.size() == before ? 0 : stop_at_end();
    if (stop == 0) continue;
    stopped_ = true;
    pending_.resize(pending_.size() - stop);
    return {std::exchange(pending_, {}), true};
  }
  std::string held = pending_.substr(pending_.size() - held_back());
  pending_.resize(pending_.size() - held.size());
  return {std::exchange(pending_, std::move(held)), false};
}

std::string TextAssembler::finish() {
  if (stopped_) return {};
  decoder_.finish(&pending_);
  return std::exchange(pending_, {});
}

// Length of the longest stop string that the pending text ends with, or 0.
size_t TextAssembler::stop_at_end() const {
  size_t longest = 0;
  for (const std::string& stop : stops_) {
    if (pending_.ends_with(stop)) longest = std::max(longest, stop.size());
  }
  return longest;
}

// Length of the longest end of the pending text that a stop string begins with.
size_t TextAssembler::held_back() const {
  size_t longest = 0;
  for (const std::string& stop : stops_) {
    for (size_t size = std::min(stop.size() - 1, pending_.size()); size > longest; --size) {
      if (pending_.ends_with(std::string_view(stop).substr(0, size))) longest = size;
    }
  }
  return longest;
}

}  // namespace rockllama
