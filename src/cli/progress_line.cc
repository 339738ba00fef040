#include "cli/progress_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "base/clock.h"
#include "cli/text_table.h"

namespace rockllama {
namespace {

constexpr double kTerminalPauseMs = 100;
constexpr double kLinePauseMs = 5000;

int terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string counts(double done, double total, const std::string& unit) {
  char text[96];
  if (total > 0) {
    std::snprintf(text, sizeof text, "%.0f of %.0f %s", done, total, unit.c_str());
  } else {
    std::snprintf(text, sizeof text, "%.0f %s", done, unit.c_str());
  }
  return text;
}

}  // namespace

ProgressLine::ProgressLine(std::string what)
    : what_(std::move(what)), terminal_(::isatty(STDERR_FILENO) == 1), last_ms_(steady_ms()) {}

ProgressLine::~ProgressLine() {
  if (terminal_ && shown_) std::fprintf(stderr, "\r\033[K");
}

void ProgressLine::update(double done, double total, const std::string& unit) {
  const double now = steady_ms();
  if (now - last_ms_ < (terminal_ ? kTerminalPauseMs : kLinePauseMs)) return;
  last_ms_ = now;
  shown_ = true;
  const std::string label = what_ + ", " + counts(done, total, unit);
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s", progress_text(label, done, total, terminal_columns()).c_str());
  } else {
    std::fprintf(stderr, "%s\n", label.c_str());
  }
}

}  // namespace rockllama
