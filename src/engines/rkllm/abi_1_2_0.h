// rkllm.h 1.2.0: n_keep, CPU choice, keep_history, logits, clear_kv_cache, set_chat_template (abi_1_1_0.h has the
// rest).
#pragma once

#include "engines/rkllm/abi_1_1_0.h"

namespace rockllama::rkllm::abi_1_2_0 {

using abi_1_1_0::LLMHandle;
using enum abi_1_1_0::RKLLMInputType;
using abi_1_1_0::RKLLMEmbedInput;
using abi_1_1_0::RKLLMInput;
using abi_1_1_0::RKLLMInputType;
using abi_1_1_0::RKLLMLoraAdapter;
using abi_1_1_0::RKLLMLoraParam;
using abi_1_1_0::RKLLMMultiModelInput;
using abi_1_1_0::RKLLMPromptCacheParam;
using abi_1_1_0::RKLLMResultLastHiddenLayer;
using abi_1_1_0::RKLLMTokenInput;

enum LLMCallState : uint32_t { RKLLM_RUN_NORMAL, RKLLM_RUN_WAITING, RKLLM_RUN_FINISH, RKLLM_RUN_ERROR };
enum RKLLMInferMode : uint32_t { RKLLM_INFER_GENERATE, RKLLM_INFER_GET_LAST_HIDDEN_LAYER, RKLLM_INFER_GET_LOGITS };

struct RKLLMExtendParam {
  int32_t base_domain_id;
  int8_t embed_flash;
  int8_t enabled_cpus_num;
  uint32_t enabled_cpus_mask;
  uint8_t reserved[106];
};

// The groups up to 1.2.3 differ in nothing but the struct at the end.
template <class ExtendParam>
struct ParamWithImages {
  const char* model_path;
  int32_t max_context_len;
  int32_t max_new_tokens;
  int32_t top_k;
  int32_t n_keep;
  float top_p;
  float temperature;
  float repeat_penalty;
  float frequency_penalty;
  float presence_penalty;
  int32_t mirostat;
  float mirostat_tau;
  float mirostat_eta;
  bool skip_special_token;
  bool is_async;
  const char* img_start;
  const char* img_end;
  const char* img_content;
  ExtendParam extend_param;
};
using RKLLMParam = ParamWithImages<RKLLMExtendParam>;

struct RKLLMInferParam {
  RKLLMInferMode mode;
  RKLLMLoraParam* lora_params;
  RKLLMPromptCacheParam* prompt_cache_params;
  int keep_history;
};

struct RKLLMResultLogits {
  const float* logits;
  int vocab_size;
  int num_tokens;
};
struct RKLLMResult {
  const char* text;
  int32_t token_id;
  RKLLMResultLastHiddenLayer last_hidden_layer;
  RKLLMResultLogits logits;
};

using LLMResultCallback = void (*)(RKLLMResult*, void*, LLMCallState);

template <class Input>
struct CallsWith : abi_1_1_0::CommonCalls<RKLLMParam, Input, RKLLMInferParam, RKLLMResult, LLMResultCallback> {
  using ResultCallback = LLMResultCallback;

  int (*rkllm_clear_kv_cache)(LLMHandle, int);
  int (*rkllm_set_chat_template)(LLMHandle, const char*, const char*, const char*);
};
using Calls = CallsWith<RKLLMInput>;

}  // namespace rockllama::rkllm::abi_1_2_0
