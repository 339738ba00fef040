// One handle of the library: a loaded model, its chat template, its KV cells and the prompt cache that was loaded. A
// run belongs to the thread that called it; abort and is_running may be called from any. The methods return what the
// exported functions return: 0, or -1 after a line in the log.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "rkllm_sim/cache_file.h"
#include "rkllm_sim/faults.h"
#include "rkllm_sim/memory_claim.h"
#include "rkllm_sim/model.h"
#include "rkllm_sim/prompt.h"
#include "rkllm_sim/types.h"

namespace rkllm_sim {

class Runtime {
 public:
  // Null after a line in the log. The banner comes first, whatever follows.
  static std::unique_ptr<Runtime> load(const Behaviour& behaviour, const LoadSettings& settings, Faults faults);

  // Waits for a run that was started by run_async.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  int run(const Input& input, const RunOptions& options, const Callback& callback);
  int run_async(Input input, RunOptions options, Callback callback);
  int abort();
  [[nodiscard]] bool running() const { return running_; }

  int load_prompt_cache(const std::string& path);
  int release_prompt_cache();
  int load_lora(const std::string& name, const std::string& path, float scale);

  int set_chat_template(const std::string& system, const std::string& prefix, const std::string& postfix);
  int set_function_tools(const std::string& system, const std::string& tools, const std::string& response_tag);

  int clear_kv_cache(bool keep_system_prompt);
  // Cells [start, end); only while a run is paused that does not keep its history.
  int clear_kv_range(int32_t start, int32_t end);
  // Values of a row of embeddings.
  [[nodiscard]] int32_t width() const { return model_->width(); }
  [[nodiscard]] int32_t kv_size() const { return static_cast<int32_t>(model_->cells().size()); }

 private:
  friend class Generation;

  Runtime(const Behaviour& behaviour, const LoadSettings& settings) : behaviour_(behaviour), settings_(settings) {}

  int run_alone(const Input& input, const RunOptions& options, const Callback& callback);
  // False after a line in the log, where another run goes on.
  bool begin_run();
  void clear_cells();

  const Behaviour behaviour_;
  const LoadSettings settings_;
  std::optional<MemoryClaim> memory_;
  std::unique_ptr<Model> model_;
  Prompt prompt_;
  std::optional<PromptCache> loaded_;     // from load_prompt_cache
  std::optional<int32_t> pending_token_;  // the last one of the run before, not in the cells yet
  int32_t system_tokens_ = 0;             // at the start of the cells
  bool paused_ = false;                   // a callback returned 1, and the history is not kept
  std::atomic<bool> running_ = false;
  std::atomic<bool> aborted_ = false;
  std::thread async_;
};

}  // namespace rkllm_sim
