#include "rkllm_sim/structs.h"

#include <rkllm_layouts.h>  // of this version, generated

#include <algorithm>
#include <thread>

namespace rkllm_sim {

using abi::RKLLMInferParamLayout;
using abi::RKLLMInputLayout;
using abi::RKLLMLoraParamLayout;
using abi::RKLLMParamLayout;
using abi::RKLLMPromptCacheParamLayout;
using abi::RKLLMResultLayout;
using abi::RKLLMSamplingParamLayout;

namespace {

int32_t thread_count(int32_t wanted) {
  const auto cores = static_cast<int32_t>(std::max(std::thread::hardware_concurrency(), 1U));
  return std::clamp(wanted, 1, cores);
}

Sampling run_sampling(const void* param) {
  using S = RKLLMSamplingParamLayout;
  return {.top_k = S::top_k.get(param),
          .top_p = S::top_p.get(param),
          .temperature = S::temperature.get(param),
          .repeat_penalty = S::repeat_penalty.get(param),
          .frequency_penalty = S::frequency_penalty.get(param),
          .presence_penalty = S::presence_penalty.get(param),
          .mirostat = S::mirostat.get(param),
          .mirostat_tau = S::mirostat_tau.get(param),
          .mirostat_eta = S::mirostat_eta.get(param)};
}

}  // namespace

std::string text_or_empty(const char* text) { return text ? text : ""; }

void write_defaults(void* param) {
  using P = RKLLMParamLayout;
  const Sampling sampling;
  P::model_path.set(param, nullptr);
  P::max_context_len.set(param, 512);
  P::max_new_tokens.set(param, 512);
  P::top_k.set(param, sampling.top_k);
  P::n_keep.set(param, -1);
  P::top_p.set(param, sampling.top_p);
  P::temperature.set(param, sampling.temperature);
  P::repeat_penalty.set(param, sampling.repeat_penalty);
  P::frequency_penalty.set(param, sampling.frequency_penalty);
  P::presence_penalty.set(param, sampling.presence_penalty);
  P::mirostat.set(param, sampling.mirostat);
  P::mirostat_tau.set(param, sampling.mirostat_tau);
  P::mirostat_eta.set(param, sampling.mirostat_eta);
  P::skip_special_token.set(param, true);
  P::ignore_eos_token.set(param, false);
  P::is_async.set(param, false);
  P::img_start.set(param, nullptr);
  P::img_end.set(param, nullptr);
  P::img_content.set(param, nullptr);
  P::extend_param_base_domain_id.set(param, 0);
  P::extend_param_embed_flash.set(param, 0);
  P::extend_param_enabled_cpus_num.set(param, 4);
  P::extend_param_enabled_cpus_mask.set(param, 0xf0);
  P::extend_param_n_batch.set(param, 1);
  P::extend_param_use_cross_attn.set(param, 0);
}

LoadSettings load_settings(const void* param) {
  using P = RKLLMParamLayout;
  LoadSettings settings;
  settings.model_path = text_or_empty(P::model_path.get(param));
  settings.max_context = P::max_context_len.get(param);
  settings.max_new_tokens = P::max_new_tokens.get(param);
  settings.n_keep = P::n_keep.get(param);
  settings.sampling = {.top_k = P::top_k.get(param),
                       .top_p = P::top_p.get(param),
                       .temperature = P::temperature.get(param),
                       .repeat_penalty = P::repeat_penalty.get(param),
                       .frequency_penalty = P::frequency_penalty.get(param),
                       .presence_penalty = P::presence_penalty.get(param),
                       .mirostat = P::mirostat.get(param),
                       .mirostat_tau = P::mirostat_tau.get(param),
                       .mirostat_eta = P::mirostat_eta.get(param)};
  settings.skip_special_token = P::skip_special_token.get(param);
  settings.ignore_eos = P::ignore_eos_token.get(param);
  settings.tags_given = P::img_start.get(param, "") && P::img_end.get(param, "") && P::img_content.get(param, "");
  settings.n_batch = P::extend_param_n_batch.get(param, 1);
  settings.threads = thread_count(P::extend_param_enabled_cpus_num.get(param, 4));
  return settings;
}

Input read_input(const void* input, int32_t width) {
  using I = RKLLMInputLayout;
  Input read;
  const char* role = I::role.get(input);
  if (role) read.role = role;
  read.enable_thinking = I::enable_thinking.get(input, true);
  const uint32_t kind = I::input_type.get(input);
  if (kind == abi::RKLLM_INPUT_PROMPT) {
    read.text = text_or_empty(I::prompt_input.get(input));
  } else if (kind == abi::RKLLM_INPUT_TOKEN) {
    read.kind = InputKind::kTokens;
    const int32_t* ids = I::token_input_input_ids.get(input);
    read.tokens.assign(ids, ids + I::token_input_n_tokens.get(input));
  } else if (kind == abi::RKLLM_INPUT_EMBED) {
    read.kind = InputKind::kEmbeddings;
    const float* rows = I::embed_input_embed.get(input);
    read.embeddings.assign(rows, rows + I::embed_input_n_tokens.get(input) * static_cast<size_t>(width));
  } else {
    read.kind = InputKind::kMultimodal;
  }
  return read;
}

RunOptions read_options(const void* infer) {
  using P = RKLLMInferParamLayout;
  RunOptions options;
  const uint32_t mode = P::mode.get(infer);
  if (mode == abi::RKLLM_INFER_GET_LAST_HIDDEN_LAYER) options.mode = RunMode::kHiddenLayer;
  if (mode == abi::RKLLM_INFER_GET_LOGITS) options.mode = RunMode::kLogits;
  const void* lora = P::lora_params.get(infer);
  if (lora) options.lora = text_or_empty(RKLLMLoraParamLayout::lora_adapter_name.get(lora));
  const void* cache = P::prompt_cache_params.get(infer);
  if (cache && RKLLMPromptCacheParamLayout::save_prompt_cache.get(cache) != 0) {
    const char* path = RKLLMPromptCacheParamLayout::prompt_cache_path.get(cache);
    options.save_path = path ? path : "./prompt_cache.bin";
  }
  const void* sampling = P::sampling_params.get(infer);
  if (sampling) options.sampling = run_sampling(sampling);
  options.keep_history = P::keep_history.get(infer) != 0;
  options.max_new_tokens = P::max_new_tokens.get(infer);
  return options;
}

uint32_t state_number(RunState state) {
  if (state == RunState::kHiddenLayer) {
    // A state of its own only before 1.2.0.
    return abi::RKLLM_RUN_GET_LAST_HIDDEN_LAYER == abi::kNoValue ? abi::RKLLM_RUN_NORMAL
                                                                 : abi::RKLLM_RUN_GET_LAST_HIDDEN_LAYER;
  }
  if (state == RunState::kWaiting) return abi::RKLLM_RUN_WAITING;
  if (state == RunState::kFinish) return abi::RKLLM_RUN_FINISH;
  return state == RunState::kError ? abi::RKLLM_RUN_ERROR : abi::RKLLM_RUN_NORMAL;
}

void write_result(const Output& output, void* result) {
  using R = RKLLMResultLayout;
  R::text.set(result, output.text);
  R::token_id.set(result, output.token);
  R::last_hidden_layer_hidden_states.set(result, output.hidden);
  R::last_hidden_layer_embd_size.set(result, output.hidden_width);
  R::last_hidden_layer_num_tokens.set(result, output.hidden_tokens);
  R::logits_logits.set(result, output.logits);
  R::logits_vocab_size.set(result, output.vocabulary);
  R::logits_num_tokens.set(result, output.logits_tokens);
  R::perf_prefill_time_ms.set(result, output.perf.prefill_ms);
  R::perf_prefill_tokens.set(result, output.perf.prefill_tokens);
  R::perf_generate_time_ms.set(result, output.perf.generate_ms);
  R::perf_generate_tokens.set(result, output.perf.generate_tokens);
  R::perf_memory_usage_mb.set(result, output.perf.memory_mb);
}

}  // namespace rkllm_sim
