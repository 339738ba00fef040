// What the simulator writes to standard error, in the vendor's form. Any thread.
#pragma once

#include <string>

namespace rkllm_sim {

void log_info(const std::string& text);     // "I rkllm: text"
void log_warning(const std::string& text);  // "W rkllm: text"
void log_error(const std::string& text);    // "E rkllm: text"

// RKLLM_LOG_LEVEL: 0 if it is not set, 1 times and speeds, 2 prompts and KV sizes too.
[[nodiscard]] int log_level();

// Ends the process as ggml does where something is not as it assumed: says it, then SIGABRT.
[[noreturn]] void fail_assertion(const std::string& condition);

// Ends the process by SIGSEGV.
[[noreturn]] void crash();

}  // namespace rkllm_sim
