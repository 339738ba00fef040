#include "rkllm_sim/log.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace rkllm_sim {
namespace {

// One write for one line: other threads and processes write to the same file.
void write_line(const std::string& line) {
  const std::string whole = line + "\n";
  if (::write(STDERR_FILENO, whole.data(), whole.size()) < 0) return;
}

}  // namespace

void log_info(const std::string& text) { write_line("I rkllm: " + text); }
void log_warning(const std::string& text) { write_line("W rkllm: " + text); }
void log_error(const std::string& text) { write_line("E rkllm: " + text); }

int log_level() {
  const char* level = std::getenv("RKLLM_LOG_LEVEL");
  return level ? std::atoi(level) : 0;
}

void fail_assertion(const std::string& condition) {
  write_line("ggml.c: GGML_ASSERT(" + condition + ") failed");
  std::abort();
}

void crash() {
  ::raise(SIGSEGV);
  std::abort();  // where SIGSEGV was handled
}

}  // namespace rkllm_sim
