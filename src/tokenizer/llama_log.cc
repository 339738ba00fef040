#include "tokenizer/llama_log.h"

#include <llama.h>

#include <atomic>
#include <cstdio>
#include <mutex>

namespace rockllama {
namespace {

std::atomic<bool> log_muted = false;

void write_warnings(ggml_log_level level, const char* text, void*) {
  // Levels of continued lines follow a first line on a level of its own; one thread of the worker logs.
  static thread_local bool shown = false;
  if (level != GGML_LOG_LEVEL_CONT) shown = level == GGML_LOG_LEVEL_WARN || level == GGML_LOG_LEVEL_ERROR;
  if (shown && !log_muted) std::fputs(text, stderr);
}

}  // namespace

void quiet_llama_log() {
  static std::once_flag once;
  std::call_once(once, [] { llama_log_set(write_warnings, nullptr); });
}

void mute_llama_log(bool muted) { log_muted = muted; }

}  // namespace rockllama
