// The vendor's structs and functions as rkllm.h 1.1.0 to 1.1.4 declares them, under its names. abi_checks.cc holds
// each against the table that was measured from the released headers. Later groups take over what they did not change.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rockllama::rkllm::abi_1_1_0 {

using LLMHandle = void*;

enum LLMCallState : uint32_t {
  RKLLM_RUN_NORMAL,
  RKLLM_RUN_WAITING,
  RKLLM_RUN_FINISH,
  RKLLM_RUN_ERROR,
  RKLLM_RUN_GET_LAST_HIDDEN_LAYER,
};
enum RKLLMInputType : uint32_t { RKLLM_INPUT_PROMPT, RKLLM_INPUT_TOKEN, RKLLM_INPUT_EMBED, RKLLM_INPUT_MULTIMODAL };
enum RKLLMInferMode : uint32_t { RKLLM_INFER_GENERATE, RKLLM_INFER_GET_LAST_HIDDEN_LAYER };

struct RKLLMExtendParam {
  int32_t base_domain_id;
  uint8_t reserved[112];
};

struct RKLLMParam {
  const char* model_path;
  int32_t max_context_len;
  int32_t max_new_tokens;
  int32_t top_k;
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
  RKLLMExtendParam extend_param;
};

struct RKLLMLoraAdapter {
  const char* lora_adapter_path;
  const char* lora_adapter_name;
  float scale;
};

struct RKLLMEmbedInput {
  float* embed;
  size_t n_tokens;
};
struct RKLLMTokenInput {
  int32_t* input_ids;
  size_t n_tokens;
};
struct RKLLMMultiModelInput {
  char* prompt;
  float* image_embed;
  size_t n_image_tokens;
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

struct RKLLMLoraParam {
  const char* lora_adapter_name;
};
struct RKLLMPromptCacheParam {
  int save_prompt_cache;
  const char* prompt_cache_path;
};
struct RKLLMInferParam {
  RKLLMInferMode mode;
  RKLLMLoraParam* lora_params;
  RKLLMPromptCacheParam* prompt_cache_params;
};

struct RKLLMResultLastHiddenLayer {
  const float* hidden_states;
  int embd_size;
  int num_tokens;
};
struct RKLLMResult {
  const char* text;
  int32_t token_id;
  RKLLMResultLastHiddenLayer last_hidden_layer;
};

using LLMResultCallback = void (*)(RKLLMResult*, void*, LLMCallState);

// What is called of the library; each member is named after the function that it points to.
template <class Param_, class Input_, class InferParam_, class Result_, class InitCallback_>
struct CommonCalls {
  using Param = Param_;
  using Input = Input_;
  using InferParam = InferParam_;
  using Result = Result_;

  Param_ (*rkllm_createDefaultParam)();
  int (*rkllm_init)(LLMHandle*, Param_*, InitCallback_);
  int (*rkllm_load_lora)(LLMHandle, RKLLMLoraAdapter*);
  int (*rkllm_load_prompt_cache)(LLMHandle, const char*);
  int (*rkllm_release_prompt_cache)(LLMHandle);
  int (*rkllm_run)(LLMHandle, Input_*, InferParam_*, void*);
  int (*rkllm_abort)(LLMHandle);
  int (*rkllm_is_running)(LLMHandle);
};
struct Calls : CommonCalls<RKLLMParam, RKLLMInput, RKLLMInferParam, RKLLMResult, LLMResultCallback> {
  using ResultCallback = LLMResultCallback;
};

}  // namespace rockllama::rkllm::abi_1_1_0
