// The vendor's C API for one version: compiled once per version against its generated layouts. Which of these functions
// the library exports is a list that is generated, too.
#include <rkllm_layouts.h>  // of this version, generated

#include <string_view>

#include "rkllm_sim/faults.h"
#include "rkllm_sim/log.h"
#include "rkllm_sim/runtime.h"
#include "rkllm_sim/structs.h"

namespace abi = rkllm_sim::abi;
using abi::RKLLMCallbackLayout;
using abi::RKLLMLoraAdapterLayout;
using abi::RKLLMParamLayout;
using abi::RKLLMResultLayout;
using rkllm_sim::Faults;
using rkllm_sim::Output;
using rkllm_sim::RunState;
using rkllm_sim::Runtime;
using rkllm_sim::text_or_empty;

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

rkllm_sim::Callback callback_of(const Handle& handle, void* userdata) {
  return [function = handle.callback, userdata = userdata ? userdata : handle.userdata](const Output& output,
                                                                                        RunState state) {
    alignas(8) unsigned char result[RKLLMResultLayout::size] = {};
    rkllm_sim::write_result(output, result);
    if constexpr (abi::kCallbackReturnsInt) {
      return reinterpret_cast<int (*)(void*, void*, uint32_t)>(function)(result, userdata,
                                                                         rkllm_sim::state_number(state));
    } else {
      reinterpret_cast<void (*)(void*, void*, uint32_t)>(function)(result, userdata, rkllm_sim::state_number(state));
      return 0;
    }
  };
}

Handle& handle_of(void* handle) { return *static_cast<Handle*>(handle); }
Runtime& runtime_of(void* handle) { return *handle_of(handle).runtime; }

int run(void* handle, const void* input, const void* infer, void* userdata, bool async) {
  Runtime& runtime = runtime_of(handle);
  const rkllm_sim::Input read = rkllm_sim::read_input(input, runtime.width());
  const rkllm_sim::RunOptions options = rkllm_sim::read_options(infer);
  const rkllm_sim::Callback callback = callback_of(handle_of(handle), userdata);
  return async ? runtime.run_async(read, options, callback) : runtime.run(read, options, callback);
}

}  // namespace

extern "C" {

ParamBytes rkllm_createDefaultParam() {
  ParamBytes param;
  rkllm_sim::write_defaults(&param);
  return param;
}

int rkllm_init(void** handle, const void* param, void* callback) {
  Faults faults = Faults::read();
  auto runtime = Runtime::load(kBehaviour, rkllm_sim::load_settings(param), faults);
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
