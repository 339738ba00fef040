#include "supervisor/log_lines.h"

#include <algorithm>
#include <utility>

#include "base/one_line.h"

namespace rockllama {

std::vector<std::string> LogLines::add(std::string_view bytes) {
  std::vector<std::string> completed;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    begun_ += piece.substr(0, most_bytes_ - std::min(most_bytes_, begun_.size()));
    if (end == std::string_view::npos) break;
    complete(&completed);
    bytes.remove_prefix(end + 1);
  }
  return completed;
}

std::vector<std::string> LogLines::end() {
  std::vector<std::string> completed;
  complete(&completed);
  return completed;
}

void LogLines::complete(std::vector<std::string>* completed) {
  if (begun_.ends_with('\r')) begun_.pop_back();
  if (!begun_.empty()) {
    lines_.push_back(one_line(std::exchange(begun_, {})));
    completed->push_back(lines_.back());
  }
  begun_.clear();
  if (lines_.size() > most_lines_) lines_.pop_front();
}

}  // namespace rockllama
