#include "rkllm_sim/runtime.h"

#include <sys/resource.h>

#include <utility>

#include "rkllm_sim/generation.h"
#include "rkllm_sim/log.h"

namespace rkllm_sim {
namespace {

constexpr int32_t kMostBatches = 100;

void print_banner(const Behaviour& behaviour, const Faults& faults) {
  log_info("rkllm-runtime version: " + faults.value("version").value_or(behaviour.version) +
           ", rknpu driver version: 0.9.8, platform: RK3588");
}

bool enough_files(const Faults& faults) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= static_cast<rlim_t>(faults.number("too_many_open_files", 0))) return true;
  log_error("failed to open file: Too many open files");
  return false;
}

bool valid(const LoadSettings& settings) {
  if (settings.n_batch < 1 || settings.n_batch > kMostBatches) {
    log_error("The n_batch must be between 1 and 100, but got " + std::to_string(settings.n_batch));
    return false;
  }
  if (settings.n_batch > 1) {
    log_error("this model was not converted for n_batch " + std::to_string(settings.n_batch));
    return false;
  }
  return true;
}

bool fits(int32_t wanted, int32_t limit) {
  if (wanted > 0 && wanted <= limit) return true;
  log_error("max_context[" + std::to_string(wanted) + "] must be less than the model's max_context_limit[" +
            std::to_string(limit) + "]");
  return false;
}

}  // namespace

std::unique_ptr<Runtime> Runtime::load(const Behaviour& behaviour, const LoadSettings& settings, Faults faults) {
  print_banner(behaviour, faults);
  faults.strike("init");
  if (behaviour.crashes_without_tags && !settings.tags_given) crash();
  if (!valid(settings) || !enough_files(faults)) return nullptr;
  std::unique_ptr<Runtime> runtime(new Runtime(behaviour, settings));
  if (faults.has("second_init_out_of_memory")) {
    runtime->memory_ = MemoryClaim::take(faults.path() + ".memory");
    if (!runtime->memory_) {
      log_error("failed to malloc npu memory, size: 234881024, flags: 0x2");
      if (behaviour.second_init_crashes) crash();
      return nullptr;
    }
  }
  log_info("loading rkllm model from " + settings.model_path);
  runtime->model_ = Model::load_file(settings.model_path);
  if (!runtime->model_) {
    log_error("failed to load model " + settings.model_path);
    return nullptr;
  }
  const int32_t limit = faults.number("context_limit", runtime->model_->context_limit());
  if (behaviour.prints_model_line) {
    log_info("rkllm-toolkit version: " + std::string(behaviour.version) + ", max_context_limit: " +
             std::to_string(limit) + ", npu_core_num: 3, target_platform: RK3588, model_dtype: W8A8");
  }
  if (!fits(settings.max_context, limit)) return nullptr;
  if (!runtime->model_->make_context(settings)) {
    log_error("failed to malloc memory for the kv cache");
    return nullptr;
  }
  log_info("Enabled cpus num: " + std::to_string(settings.threads));
  return runtime;
}

Runtime::~Runtime() {
  if (async_.joinable()) async_.join();
}

bool Runtime::begin_run() {
  if (running_.exchange(true)) {
    log_error("rkllm_run: another inference of this handle is running");
    return false;
  }
  aborted_ = false;
  return true;
}

int Runtime::run(const Input& input, const RunOptions& options, const Callback& callback) {
  if (!begin_run()) return -1;
  const int result = run_alone(input, options, callback);
  running_ = false;
  return result;
}

int Runtime::run_async(Input input, RunOptions options, Callback callback) {
  if (!begin_run()) return -1;
  if (Faults::read().take("async_never_finishes")) return 0;
  if (async_.joinable()) async_.join();
  async_ = std::thread([this, input = std::move(input), options = std::move(options), callback = std::move(callback)] {
    run_alone(input, options, callback);
    running_ = false;
  });
  return 0;
}

int Runtime::run_alone(const Input& input, const RunOptions& options, const Callback& callback) {
  return Generation(*this, options, callback).run(input);
}

int Runtime::abort() {
  if (!running_) {
    log_error("rkllm_abort: no inference is running");
    return -1;
  }
  aborted_ = true;
  return 0;
}

int Runtime::load_prompt_cache(const std::string& path) {
  Faults::read().strike("load");
  loaded_ = read_cache_file(path);
  if (!loaded_) log_error("failed to load prompt cache " + path);
  return loaded_ ? 0 : -1;
}

int Runtime::release_prompt_cache() {
  loaded_.reset();
  return 0;
}

int Runtime::load_lora(const std::string& name, const std::string& path, float scale) {
  if (model_->load_lora(name, path, scale)) return 0;
  log_error("failed to load lora adapter " + path);
  return -1;
}

int Runtime::set_chat_template(const std::string& system, const std::string& prefix, const std::string& postfix) {
  prompt_.set_template(system, prefix, postfix);
  clear_cells();
  log_warning("the chat template was reset. All kv caches have been deleted!");
  return 0;
}

int Runtime::set_function_tools(const std::string& system, const std::string& tools, const std::string& response_tag) {
  if (prompt_.set_tools(system, tools, response_tag)) return 0;
  log_error("rkllm_set_function_tools: the chat template is empty");
  return -1;
}

void Runtime::clear_cells() {
  model_->clear();
  pending_token_.reset();
  system_tokens_ = 0;
  paused_ = false;
}

int Runtime::clear_kv_cache(bool keep_system_prompt) {
  if (!keep_system_prompt || system_tokens_ == 0) {
    clear_cells();
    return 0;
  }
  pending_token_.reset();
  return model_->remove(system_tokens_, kv_size()) ? 0 : -1;
}

int Runtime::clear_kv_range(int32_t start, int32_t end) {
  if (!paused_) {
    log_error("rkllm_clear_kv_cache: a range needs keep_history 0 and a paused inference");
    return -1;
  }
  return model_->remove(start, end) ? 0 : -1;
}

}  // namespace rkllm_sim
