#pragma once

namespace rockllama {

// From now on llama.cpp writes only warnings and errors, to stderr. Any thread, as often as wanted.
void quiet_llama_log();

// While muted it writes nothing at all: for calls that are broken off on purpose. Any thread.
void mute_llama_log(bool muted);

}  // namespace rockllama
