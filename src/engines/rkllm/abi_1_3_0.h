// rkllm.h 1.3.0: no img_* at init, sampling per run, callbacks in a struct (abi_1_2_1.h has the rest). Its functions
// have the names of 1.2.1's: nothing but the version tells them apart before they are called.
#pragma once

#include "engines/rkllm/abi_1_2_1.h"

namespace rockllama::rkllm::abi_1_3_0 {

using abi_1_2_1::LLMCallState;
using abi_1_2_1::LLMHandle;
using enum abi_1_2_0::LLMCallState;
using abi_1_2_1::RKLLMEmbedInput;
using abi_1_2_1::RKLLMExtendParam;
using abi_1_2_1::RKLLMInferMode;
using abi_1_2_1::RKLLMInputType;
using abi_1_2_1::RKLLMLoraAdapter;
using abi_1_2_1::RKLLMLoraParam;
using abi_1_2_1::RKLLMPerfStat;
using abi_1_2_1::RKLLMPromptCacheParam;
using abi_1_2_1::RKLLMResult;
using abi_1_2_1::RKLLMResultLastHiddenLayer;
using abi_1_2_1::RKLLMResultLogits;
using abi_1_2_1::RKLLMTokenInput;
using enum abi_1_2_0::RKLLMInferMode;
using enum abi_1_1_0::RKLLMInputType;

struct RKLLMParam {
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
  bool ignore_eos_token;
  bool is_async;
  RKLLMExtendParam extend_param;
};

struct RKLLMMultiModalInput {
  char* prompt;
  struct {
    float* image_embed;
    size_t n_image_tokens;
    size_t n_image;
    const char* image_start;
    const char* image_end;
    const char* image_content;
    size_t image_width;
    size_t image_height;
  } image;
  struct {
    float* video_embed;
    size_t n_frame_tokens;
    size_t n_frame_per_video;
    size_t n_video;
    const char* video_start;
    const char* video_end;
    const char* video_content;
    size_t frame_width;
    size_t frame_height;
  } video;
};
using RKLLMInput = abi_1_2_1::InputWithRole<RKLLMMultiModalInput>;

struct RKLLMSamplingParam {
  int32_t top_k;
  float top_p;
  float temperature;
  float repeat_penalty;
  float frequency_penalty;
  float presence_penalty;
  int32_t mirostat;
  float mirostat_tau;
  float mirostat_eta;
};
struct RKLLMInferParam {
  RKLLMInferMode mode;
  RKLLMLoraParam* lora_params;
  RKLLMPromptCacheParam* prompt_cache_params;
  RKLLMSamplingParam* sampling_params;
  int keep_history;
  int32_t max_new_tokens;
};

using LLMGetEmbedCallback = int (*)(void*, int32_t*, uint64_t, void*, uint64_t);
using LLMTokenizerCallback = int (*)(void*, const char*, int32_t, int32_t*, int32_t);
// 0 = go on, 1 = pause, 2 = release the output buffer of hidden layers now.
using LLMResultCallback = abi_1_2_1::LLMResultCallback;
struct RKLLMCallback {
  LLMResultCallback result_callback;
  void* result_userdata;
  LLMTokenizerCallback tokenizer_callback;
  void* tokenizer_userdata;
  LLMGetEmbedCallback embed_callback;
  void* embed_userdata;
};

using Calls = abi_1_2_1::CallsWith<RKLLMParam, RKLLMInput, RKLLMInferParam, RKLLMCallback*>;

}  // namespace rockllama::rkllm::abi_1_3_0
