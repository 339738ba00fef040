#pragma once

namespace rockllama {

// From now on llama.cpp writes only warnings and errors, to stderr. Any thread, as often as wanted.
void quiet_llama_log();

}  // namespace rockllama
