// The vendor's structs of one version, read into plain values and written from them: compiled once per version against
// its generated layouts. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "rkllm_sim/types.h"

namespace rkllm_sim {

// Empty for NULL.
std::string text_or_empty(const char* text);

// The fields of an RKLLMParam alone: what is reserved stays as it was.
void write_defaults(void* param);
LoadSettings load_settings(const void* param);

// From an RKLLMInput; `width`: values of a row of embeddings.
Input read_input(const void* input, int32_t width);
// From an RKLLMInferParam and what it points to.
RunOptions read_options(const void* infer);

// The number of a state.
uint32_t state_number(RunState state);
// Into an RKLLMResult.
void write_result(const Output& output, void* result);

}  // namespace rkllm_sim
