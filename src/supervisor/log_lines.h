// The last lines out of a stream of bytes of unknown origin. Pure.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace rockllama {

class LogLines {
 public:
  // Keeps `lines` lines of at most `line_bytes` bytes; what is longer is cut.
  explicit LogLines(size_t lines = 200, size_t line_bytes = 500) : most_lines_(lines), most_bytes_(line_bytes) {}

  // The lines that `bytes` completed, without control characters. Empty lines are left out.
  std::vector<std::string> add(std::string_view bytes);
  // The stream ended: what it began counts as a line.
  std::vector<std::string> end();
  // Oldest first.
  [[nodiscard]] std::vector<std::string> recent() const { return {lines_.begin(), lines_.end()}; }

 private:
  void complete(std::vector<std::string>* completed);

  const size_t most_lines_;
  const size_t most_bytes_;
  std::string begun_;
  std::deque<std::string> lines_;
};

}  // namespace rockllama
