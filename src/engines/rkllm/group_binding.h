// Binding over the structs of one ABI group. Calls is abi_<version>::Calls; what a group does not have, the compiler
// leaves out here. Included by binding.cc alone.
#pragma once

#include <dlfcn.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "engines/rkllm/abi_1_1_0.h"
#include "engines/rkllm/binding.h"
#include "engines/rkllm/sampling_fields.h"

namespace rockllama::rkllm {

template <class Function>
void find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(::dlsym(library, name));
}

template <class Calls>
Calls find_calls(void* library) {
  Calls calls{};
  find(library, "rkllm_createDefaultParam", calls.rkllm_createDefaultParam);
  find(library, "rkllm_init", calls.rkllm_init);
  find(library, "rkllm_load_lora", calls.rkllm_load_lora);
  find(library, "rkllm_load_prompt_cache", calls.rkllm_load_prompt_cache);
  find(library, "rkllm_release_prompt_cache", calls.rkllm_release_prompt_cache);
  find(library, "rkllm_run", calls.rkllm_run);
  find(library, "rkllm_abort", calls.rkllm_abort);
  find(library, "rkllm_is_running", calls.rkllm_is_running);
  if constexpr (requires { calls.rkllm_clear_kv_cache; }) {
    find(library, "rkllm_clear_kv_cache", calls.rkllm_clear_kv_cache);
    find(library, "rkllm_set_chat_template", calls.rkllm_set_chat_template);
  }
  if constexpr (requires { calls.rkllm_get_kv_cache_size; }) {
    find(library, "rkllm_get_kv_cache_size", calls.rkllm_get_kv_cache_size);
    find(library, "rkllm_set_function_tools", calls.rkllm_set_function_tools);
  }
  return calls;
}

// What the library hands over, in our words. Its pointers may be NULL, the result itself too.
template <class Result>
CallbackEvent event_of(const Result* result, int state) {
  CallbackEvent event;
  // 4 is the hidden layer's own state in 1.1.x; later runtimes send it as an ordinary result.
  constexpr int kHiddenLayerState = abi_1_1_0::RKLLM_RUN_GET_LAST_HIDDEN_LAYER;
  event.state = state == kHiddenLayerState ? CallState::kNormal : static_cast<CallState>(state);
  if (result == nullptr) return event;
  event.piece.token = result->token_id;
  // While it waits for the rest of a character it hands over nothing that its own demos would print.
  if (result->text != nullptr && event.state != CallState::kWaiting) event.piece.text = result->text;
  const auto& hidden = result->last_hidden_layer;
  if (hidden.hidden_states != nullptr && hidden.num_tokens > 0 && hidden.embd_size > 0) {
    const size_t values = static_cast<size_t>(hidden.num_tokens) * static_cast<size_t>(hidden.embd_size);
    event.hidden = {{hidden.hidden_states, values}, hidden.num_tokens, hidden.embd_size};
  }
  if constexpr (requires { result->perf; }) {
    event.perf = {.prefill_tokens = result->perf.prefill_tokens,
                  .prefill_ms = result->perf.prefill_time_ms,
                  .generated_tokens = result->perf.generate_tokens,
                  .generate_ms = result->perf.generate_time_ms,
                  .memory_mb = result->perf.memory_usage_mb};
  }
  return event;
}

template <class Calls>
class GroupBinding final : public Binding {
 public:
  using Param = typename Calls::Param;
  using Input = typename Calls::Input;
  using InferParam = typename Calls::InferParam;
  using Result = typename Calls::Result;

  explicit GroupBinding(const Calls& calls) : calls_(calls) {}

  InitAnswer init(const RuntimeOptions& options, const CallbackReceiver* receiver) override {
    receiver_ = receiver;
    param_ = calls_.rkllm_createDefaultParam();
    fill(options);
    const int code = call_init();
    const bool loaded = code == 0 && handle_ != nullptr;
    if (loaded) idle_ = calls_.rkllm_is_running(handle_);
    return {code, loaded};
  }

  int run(const RunRequest& request) override {
    // Copies: a runtime that returns before its last callback still reads them.
    request_ = request;
    input_ = Input{};
    infer_ = InferParam{};
    fill_input();
    fill_infer();
    return calls_.rkllm_run(handle_, &input_, &infer_, userdata());
  }

  void end_run() override {
    // The library may keep the addresses of these two; nothing behind them is left to follow.
    input_ = Input{};
    infer_ = InferParam{};
    request_ = RunRequest{};
  }

  int abort() override { return calls_.rkllm_abort(handle_); }
  // The headers up to 1.2.3 say 0 = running; libraries were seen to answer 1. Idle is what it answers when it was
  // loaded.
  bool is_running() override { return (calls_.rkllm_is_running(handle_) != 0) != (idle_ != 0); }
  int load_prompt_cache(const std::string& path) override {
    return calls_.rkllm_load_prompt_cache(handle_, path.c_str());
  }
  int release_prompt_cache() override { return calls_.rkllm_release_prompt_cache(handle_); }
  int load_lora(const std::string& path, const std::string& name, float scale) override {
    abi_1_1_0::RKLLMLoraAdapter adapter{path.c_str(), name.c_str(), scale};
    return calls_.rkllm_load_lora(handle_, &adapter);
  }

  int clear_kv_cache() override {
    constexpr int kKeepSystemPrompt = 0;
    if constexpr (requires { calls_.rkllm_clear_kv_cache(handle_, 0, nullptr, nullptr); }) {
      // Without ranges it clears everything.
      return calls_.rkllm_clear_kv_cache(handle_, kKeepSystemPrompt, nullptr, nullptr);
    } else if constexpr (requires { calls_.rkllm_clear_kv_cache(handle_, 0); }) {
      return calls_.rkllm_clear_kv_cache(handle_, kKeepSystemPrompt);
    } else {
      return -1;
    }
  }
  int set_chat_template(const std::string& system, const std::string& prefix, const std::string& postfix) override {
    if constexpr (requires { calls_.rkllm_set_chat_template; }) {
      return calls_.rkllm_set_chat_template(handle_, system.c_str(), prefix.c_str(), postfix.c_str());
    } else {
      return -1;
    }
  }
  int set_function_tools(const std::string& system, const std::string& tools, const std::string& tag) override {
    if constexpr (requires { calls_.rkllm_set_function_tools; }) {
      return calls_.rkllm_set_function_tools(handle_, system.c_str(), tools.c_str(), tag.c_str());
    } else {
      return -1;
    }
  }
  int get_kv_cache_size(int32_t* tokens) override {
    if constexpr (requires { calls_.rkllm_get_kv_cache_size; }) {
      // One number per batch; a library that writes more than one of n_batch must not write past it.
      std::vector<int> sizes(256, -1);
      // What it answers is not documented; what it wrote counts.
      static_cast<void>(calls_.rkllm_get_kv_cache_size(handle_, sizes.data()));
      *tokens = sizes.front();
      return sizes.front() < 0 ? -1 : 0;
    } else {
      return -1;
    }
  }

 private:
  // As the group's callback is declared: it answers an int, or nothing.
  template <class Return, class State>
  static Return on_result(Result* result, void* userdata, State state) noexcept {
    const CallbackEvent event = event_of(result, static_cast<int>(state));
    if (userdata != nullptr) (*static_cast<const CallbackReceiver*>(userdata))(event);
    if constexpr (!std::is_void_v<Return>) {
      // 2 gives the hidden layers' buffer back at once, which leaked before 1.3.0 knew that answer; 1 would pause.
      constexpr bool kCanRelease = requires(InferParam infer) { infer.sampling_params; };
      return kCanRelease && !event.hidden.values.empty() ? 2 : 0;
    }
  }

  void* userdata() const { return const_cast<CallbackReceiver*>(receiver_); }

  int call_init() {
    typename Calls::ResultCallback on_each = &on_result;
    if constexpr (requires { calls_.rkllm_init(&handle_, &param_, on_each); }) {
      return calls_.rkllm_init(&handle_, &param_, on_each);
    } else {
      callback_.result_callback = on_each;
      callback_.result_userdata = userdata();
      return calls_.rkllm_init(&handle_, &param_, &callback_);
    }
  }

  void fill(const RuntimeOptions& options) {
    model_path_ = options.model_path;
    param_.model_path = model_path_.c_str();
    set(options.max_context_len, &param_.max_context_len);
    set(options.max_new_tokens, &param_.max_new_tokens);
    set(options.skip_special_token, &param_.skip_special_token);
    param_.is_async = false;
    set_sampling(options.sampling, &param_);
    if constexpr (requires { param_.n_keep; }) set(options.n_keep, &param_.n_keep);
    if constexpr (requires { param_.img_start; }) {
      // NULL crashes 1.2.x.
      param_.img_start = "";
      param_.img_end = "";
      param_.img_content = "";
    }
    fill_extend(options, &param_.extend_param);
  }

  template <class Extend>
  static void fill_extend(const RuntimeOptions& options, Extend* extend) {
    set(options.base_domain_id, &extend->base_domain_id);
    if constexpr (requires { extend->embed_flash; }) {
      set(options.embed_flash, &extend->embed_flash);
      set(options.enabled_cpus_num, &extend->enabled_cpus_num);
      set(options.enabled_cpus_mask, &extend->enabled_cpus_mask);
    }
    if constexpr (requires { extend->n_batch; }) {
      extend->n_batch = static_cast<uint8_t>(options.n_batch);
      set(options.use_cross_attn, &extend->use_cross_attn);
    }
  }

  void fill_input() {
    if constexpr (requires { input_.role; }) {
      input_.role = request_.role.c_str();
      input_.enable_thinking = request_.enable_thinking;
    }
    if (auto* tokens = std::get_if<std::vector<int32_t>>(&request_.input)) {
      input_.input_type = abi_1_1_0::RKLLM_INPUT_TOKEN;
      input_.token_input = {tokens->data(), tokens->size()};
    } else {
      input_.input_type = abi_1_1_0::RKLLM_INPUT_PROMPT;
      input_.prompt_input = std::get<std::string>(request_.input).c_str();
    }
  }

  void fill_infer() {
    using Mode = decltype(infer_.mode);
    infer_.mode =
        static_cast<Mode>(request_.mode == InferMode::kLastHiddenLayer ? abi_1_1_0::RKLLM_INFER_GET_LAST_HIDDEN_LAYER
                                                                       : abi_1_1_0::RKLLM_INFER_GENERATE);
    lora_ = {request_.lora_adapter.c_str()};
    if (!request_.lora_adapter.empty()) infer_.lora_params = &lora_;
    save_ = {1, request_.save_cache_path.c_str()};
    if (!request_.save_cache_path.empty()) infer_.prompt_cache_params = &save_;
    if constexpr (requires { infer_.keep_history; }) infer_.keep_history = request_.keep_history ? 1 : 0;
    if constexpr (requires { infer_.sampling_params; }) {
      copy_sampling(param_, &sampling_);
      if (request_.sampling) set_sampling(*request_.sampling, &sampling_);
      infer_.sampling_params = &sampling_;
      infer_.max_new_tokens = request_.max_new_tokens.value_or(param_.max_new_tokens);
    }
  }

  // What a group does not have is empty there.
  struct None {};
  template <class T>
  struct SamplingOf {
    using type = None;
  };
  template <class T>
  requires requires(T infer) { infer.sampling_params; }
  struct SamplingOf<T> {
    using type = std::remove_pointer_t<decltype(T::sampling_params)>;
  };
  template <class T>
  struct CallbackOf {
    using type = None;
  };
  template <class Handle, class P, class Callback>
  requires std::is_class_v<Callback>
  struct CallbackOf<int (*)(Handle, P, Callback*)> {
    using type = Callback;
  };

  Calls calls_;
  const CallbackReceiver* receiver_ = nullptr;
  abi_1_1_0::LLMHandle handle_ = nullptr;
  int idle_ = 0;
  std::string model_path_;
  Param param_{};
  typename CallbackOf<decltype(Calls::rkllm_init)>::type callback_{};

  // Of the run that goes on.
  RunRequest request_{};
  Input input_{};
  InferParam infer_{};
  abi_1_1_0::RKLLMLoraParam lora_{};
  abi_1_1_0::RKLLMPromptCacheParam save_{};
  typename SamplingOf<InferParam>::type sampling_{};
};

}  // namespace rockllama::rkllm
