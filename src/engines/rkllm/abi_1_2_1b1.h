// rkllm.h 1.2.1b1: several images in one input, which makes the input larger (abi_1_2_0.h has the rest).
#pragma once

#include "engines/rkllm/abi_1_2_0.h"

namespace rockllama::rkllm::abi_1_2_1b1 {

using abi_1_2_0::LLMCallState;
using abi_1_2_0::LLMHandle;
using abi_1_2_0::LLMResultCallback;
using enum abi_1_2_0::LLMCallState;
using abi_1_2_0::RKLLMEmbedInput;
using abi_1_2_0::RKLLMExtendParam;
using abi_1_2_0::RKLLMInferMode;
using abi_1_2_0::RKLLMInferParam;
using abi_1_2_0::RKLLMInputType;
using abi_1_2_0::RKLLMLoraAdapter;
using abi_1_2_0::RKLLMLoraParam;
using abi_1_2_0::RKLLMParam;
using abi_1_2_0::RKLLMPromptCacheParam;
using abi_1_2_0::RKLLMResult;
using abi_1_2_0::RKLLMResultLastHiddenLayer;
using abi_1_2_0::RKLLMResultLogits;
using abi_1_2_0::RKLLMTokenInput;
using enum abi_1_2_0::RKLLMInferMode;
using enum abi_1_1_0::RKLLMInputType;

struct RKLLMMultiModelInput {
  char* prompt;
  float* image_embed;
  size_t n_image_tokens;
  size_t n_image;
  size_t image_width;
  size_t image_height;
};
struct RKLLMInput {
  RKLLMInputType input_type;
  union {
    const char* prompt_input;
    RKLLMEmbedInput embed_input;
    RKLLMTokenInput token_input;
    RKLLMMultiModelInput multimodal_input;
  };
};

using Calls = abi_1_2_0::CallsWith<RKLLMInput>;

}  // namespace rockllama::rkllm::abi_1_2_1b1
