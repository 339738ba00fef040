// The vendor's C API for one version: compiled once per version against its generated layouts. Which of these functions
// the library exports is a list that is generated, too.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <thread>

#include "rkllm_layouts.h"
#include "rkllm_sim/faults.h"
#include "rkllm_sim/log.h"
#include "rkllm_sim/runtime.h"

using rkllm_sim::Faults;
using rkllm_sim::Input;
using rkllm_sim::InputKind;
using rkllm_sim::LoadSettings;
using rkllm_sim::Output;
using rkllm_sim::RunMode;
using rkllm_sim::RunOptions;
using rkllm_sim::RunState;
using rkllm_sim::Runtime;
using rkllm_sim::Sampling;

namespace abi = rkllm_sim::abi;
using abi::RKLLMCallbackLayout;
using abi::RKLLMInferParamLayout;
using abi::RKLLMInputLayout;
using abi::RKLLMLoraAdapterLayout;
using abi::RKLLMLoraParamLayout;
using abi::RKLLMParamLayout;
using abi::RKLLMPromptCacheParamLayout;
using abi::RKLLMResultLayout;
using abi::RKLLMSamplingParamLayout;

// Found by whoever looks for a version in the file.
extern "C" __attribute__((used)) const char rkllm_sim_version[] = "RKLLM SDK (version: " RKLLM_SIM_VERSION ")";

namespace {

// As large as the vendor's struct, and returned as it is: through a pointer that the caller gives.
struct alignas(8) ParamBytes {
  unsigned char bytes[RKLLMParamLayout::size];
};

struct Handle {
  std::unique_ptr<Runtime> runtime;
  void* callback;
  void* userdata;  // where a run brings none
};

constexpr std::string_view kVersion = RKLLM_SIM_VERSION;

constexpr rkllm_sim::Behaviour kBehaviour{
    .version = RKLLM_SIM_VERSION,
    .has_chat_template = !kVersion.starts_with("1.1."),
    .crashes_without_tags = kVersion.starts_with("1.2."),
    .prints_model_line = RKLLMResultLayout::perf_prefill_tokens.exists(),
    .second_init_crashes = kVersion.starts_with("1.3."),
    .special_tokens_in_text = kVersion.starts_with("1.1."),
};

std::string text_or_empty(const char* text) { return text ? text : ""; }

int32_t thread_count(int32_t wanted) {
  const auto cores = static_cast<int32_t>(std::max(std::thread::hardware_concurrency(), 1U));
  return std::clamp(wanted, 1, cores);
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

rkllm_sim::Callback callback_of(const Handle& handle, void* userdata) {
  return [function = handle.callback, userdata = userdata ? userdata : handle.userdata](const Output& output,
                                                                                        RunState state) {
    alignas(8) unsigned char result[RKLLMResultLayout::size] = {};
    write_result(output, result);
    if constexpr (abi::kCallbackReturnsInt) {
      return reinterpret_cast<int (*)(void*, void*, uint32_t)>(function)(result, userdata, state_number(state));
    } else {
      reinterpret_cast<void (*)(void*, void*, uint32_t)>(function)(result, userdata, state_number(state));
      return 0;
    }
  };
}

Handle& handle_of(void* handle) { return *static_cast<Handle*>(handle); }
Runtime& runtime_of(void* handle) { return *handle_of(handle).runtime; }

int run(void* handle, const void* input, const void* infer, void* userdata, bool async) {
  Runtime& runtime = runtime_of(handle);
  const Input read = read_input(input, runtime.width());
  const RunOptions options = read_options(infer);
  const rkllm_sim::Callback callback = callback_of(handle_of(handle), userdata);
  return async ? runtime.run_async(read, options, callback) : runtime.run(read, options, callback);
}

}  // namespace

extern "C" {

// Writes the fields alone: what is reserved stays as the caller's memory was.
ParamBytes rkllm_createDefaultParam() {
  using P = RKLLMParamLayout;
  const Sampling sampling;
  ParamBytes param;
  P::model_path.set(&param, nullptr);
  P::max_context_len.set(&param, 512);
  P::max_new_tokens.set(&param, 512);
  P::top_k.set(&param, sampling.top_k);
  P::n_keep.set(&param, -1);
  P::top_p.set(&param, sampling.top_p);
  P::temperature.set(&param, sampling.temperature);
  P::repeat_penalty.set(&param, sampling.repeat_penalty);
  P::frequency_penalty.set(&param, sampling.frequency_penalty);
  P::presence_penalty.set(&param, sampling.presence_penalty);
  P::mirostat.set(&param, sampling.mirostat);
  P::mirostat_tau.set(&param, sampling.mirostat_tau);
  P::mirostat_eta.set(&param, sampling.mirostat_eta);
  P::skip_special_token.set(&param, true);
  P::ignore_eos_token.set(&param, false);
  P::is_async.set(&param, false);
  P::img_start.set(&param, nullptr);
  P::img_end.set(&param, nullptr);
  P::img_content.set(&param, nullptr);
  P::extend_param_base_domain_id.set(&param, 0);
  P::extend_param_embed_flash.set(&param, 0);
  P::extend_param_enabled_cpus_num.set(&param, 4);
  P::extend_param_enabled_cpus_mask.set(&param, 0xf0);
  P::extend_param_n_batch.set(&param, 1);
  P::extend_param_use_cross_attn.set(&param, 0);
  return param;
}

int rkllm_init(void** handle, const void* param, void* callback) {
  Faults faults = Faults::read();
  auto runtime = Runtime::load(kBehaviour, load_settings(param), faults);
  if (!runtime) return -1;
  *handle = nullptr;
  if (faults.take("null_handle")) return 0;
  if constexpr (abi::kInitTakesCallbackStruct) {
    *handle = new Handle{std::move(runtime), RKLLMCallbackLayout::result_callback.get(callback),
                         RKLLMCallbackLayout::result_userdata.get(callback)};
  } else {
    *handle = new Handle{std::move(runtime), callback, nullptr};
  }
  return 0;
}

// Hangs while something runs.
int rkllm_destroy(void* handle) {
  Faults::read().strike("destroy");
  if (runtime_of(handle).running()) rkllm_sim::hang();
  delete static_cast<Handle*>(handle);
  return 0;
}

int rkllm_run(void* handle, const void* input, const void* infer, void* userdata) {
  return run(handle, input, infer, userdata, false);
}

int rkllm_run_async(void* handle, const void* input, const void* infer, void* userdata) {
  return run(handle, input, infer, userdata, true);
}

int rkllm_abort(void* handle) {
  Faults::read().strike("abort");
  return runtime_of(handle).abort();
}

int rkllm_is_running(void* handle) {
  return static_cast<int>(runtime_of(handle).running() != Faults::read().has("running_is_zero"));
}

int rkllm_load_lora(void* handle, const void* adapter) {
  using A = RKLLMLoraAdapterLayout;
  return runtime_of(handle).load_lora(text_or_empty(A::lora_adapter_name.get(adapter)),
                                      text_or_empty(A::lora_adapter_path.get(adapter)), A::scale.get(adapter));
}

int rkllm_load_prompt_cache(void* handle, const char* path) {
  return runtime_of(handle).load_prompt_cache(text_or_empty(path));
}

int rkllm_release_prompt_cache(void* handle) { return runtime_of(handle).release_prompt_cache(); }

// Before 1.2.1 the last two were not there: they are nothing that may be looked at.
int rkllm_clear_kv_cache(void* handle, int keep_system_prompt, const int* start_pos, const int* end_pos) {
  if constexpr (abi::kClearTakesRanges) {
    if (start_pos && end_pos) return runtime_of(handle).clear_kv_range(*start_pos, *end_pos);
  }
  return runtime_of(handle).clear_kv_cache(keep_system_prompt != 0);
}

int rkllm_get_kv_cache_size(void* handle, int* cache_sizes) {
  *cache_sizes = runtime_of(handle).kv_size();
  return 0;
}

int rkllm_set_chat_template(void* handle, const char* system, const char* prefix, const char* postfix) {
  return runtime_of(handle).set_chat_template(text_or_empty(system), text_or_empty(prefix), text_or_empty(postfix));
}

int rkllm_set_function_tools(void* handle, const char* system, const char* tools, const char* response_tag) {
  return runtime_of(handle).set_function_tools(text_or_empty(system), text_or_empty(tools),
                                               text_or_empty(response_tag));
}

int rkllm_set_cross_attn_params(void*, const void*) {
  rkllm_sim::log_error("rkllm_set_cross_attn_params: this model has no cross attention");
  return -1;
}
}
