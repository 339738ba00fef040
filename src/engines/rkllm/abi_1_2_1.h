// rkllm.h 1.2.1 to 1.2.3: the callback answers, inputs have a role, results have measurements (abi_1_2_1b1.h has the
// rest). 1.2.3 writes RKLLMMultiModalInput where the two before write RKLLMMultiModelInput.
#pragma once

#include "engines/rkllm/abi_1_2_1b1.h"

namespace rockllama::rkllm::abi_1_2_1 {

using abi_1_2_1b1::LLMCallState;
using abi_1_2_1b1::LLMHandle;
using enum abi_1_2_0::LLMCallState;
using abi_1_2_1b1::RKLLMEmbedInput;
using abi_1_2_1b1::RKLLMInferMode;
using abi_1_2_1b1::RKLLMInferParam;
using abi_1_2_1b1::RKLLMInputType;
using abi_1_2_1b1::RKLLMLoraAdapter;
using abi_1_2_1b1::RKLLMLoraParam;
using abi_1_2_1b1::RKLLMMultiModelInput;
using abi_1_2_1b1::RKLLMPromptCacheParam;
using abi_1_2_1b1::RKLLMResultLastHiddenLayer;
using abi_1_2_1b1::RKLLMResultLogits;
using abi_1_2_1b1::RKLLMTokenInput;
using enum abi_1_2_0::RKLLMInferMode;
using enum abi_1_1_0::RKLLMInputType;

struct RKLLMExtendParam {
  int32_t base_domain_id;
  int8_t embed_flash;
  int8_t enabled_cpus_num;
  uint32_t enabled_cpus_mask;
  uint8_t n_batch;
  int8_t use_cross_attn;
  uint8_t reserved[104];
};
using RKLLMParam = abi_1_2_0::ParamWithImages<RKLLMExtendParam>;

template <class MultiModal>
struct InputWithRole {
  const char* role;
  bool enable_thinking;
  RKLLMInputType input_type;
  union {
    const char* prompt_input;
    RKLLMEmbedInput embed_input;
    RKLLMTokenInput token_input;
    MultiModal multimodal_input;
  };
};
using RKLLMInput = InputWithRole<RKLLMMultiModelInput>;

struct RKLLMPerfStat {
  float prefill_time_ms;
  int prefill_tokens;
  float generate_time_ms;
  int generate_tokens;
  float memory_usage_mb;
};
struct RKLLMResult {
  const char* text;
  int32_t token_id;
  RKLLMResultLastHiddenLayer last_hidden_layer;
  RKLLMResultLogits logits;
  RKLLMPerfStat perf;
};

// 0 = go on, 1 = pause.
using LLMResultCallback = int (*)(RKLLMResult*, void*, LLMCallState);

template <class Param, class Input, class InferParam, class InitCallback>
struct CallsWith : abi_1_1_0::CommonCalls<Param, Input, InferParam, RKLLMResult, InitCallback> {
  using ResultCallback = LLMResultCallback;

  int (*rkllm_clear_kv_cache)(LLMHandle, int, int*, int*);
  int (*rkllm_get_kv_cache_size)(LLMHandle, int*);
  int (*rkllm_set_chat_template)(LLMHandle, const char*, const char*, const char*);
  int (*rkllm_set_function_tools)(LLMHandle, const char*, const char*, const char*);
};
using Calls = CallsWith<RKLLMParam, RKLLMInput, RKLLMInferParam, LLMResultCallback>;

}  // namespace rockllama::rkllm::abi_1_2_1
