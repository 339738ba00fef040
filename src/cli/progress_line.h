// How far a long step is, on stderr: one line that is written again on a terminal, a line now and then elsewhere. One
// thread.
#pragma once

#include <string>

namespace rockllama {

class ProgressLine {
 public:
  explicit ProgressLine(std::string what);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  // `unit` as in "tokens"; `total` 0 = not known.
  void update(double done, double total, const std::string& unit);

 private:
  const std::string what_;
  const bool terminal_;
  double last_ms_;  // when something was shown
  bool shown_ = false;
};

}  // namespace rockllama
