// How often a worker ended in a row, and whether another start is worth trying. Pure.
#pragma once

namespace rockllama {

class CrashCount {
 public:
  void load_began() { loaded_ = false; }
  void loaded(double now_ms);
  // It ended something that it was asked, well or not: whatever ended it before does not end it always.
  void worked() { in_a_row_ = early_ = 0; }
  // True when it was the fifth in a row that came while it loaded or within a minute of that.
  [[nodiscard]] bool lost(double now_ms);
  [[nodiscard]] int in_a_row() const { return in_a_row_; }

 private:
  bool loaded_ = false;
  double loaded_at_ms_ = 0;
  int in_a_row_ = 0;
  int early_ = 0;
};

}  // namespace rockllama
