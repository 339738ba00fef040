// One loaded model of the vendor's runtime: its C API in one shape for every released version. No vendor struct is seen
// here. A failed call tells the last lines of the runtime's log, which are all that the vendor says about most errors.
//
// Threads: everything but abort() is for one thread at a time; a call while a run goes on is kConflict. The vendor's
// code may crash or hang in any of these calls: whoever needs to survive that runs them in a process of their own, and
// ends that process instead of the runtime (rkllm_destroy can hang, so nothing here calls it; leave by _exit, not by
// return from main, so that the vendor's exit handlers do not run either).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "domain/generation.h"
#include "engines/rkllm/library.h"
#include "engines/rkllm/log_tap.h"

namespace rockllama::rkllm {

class Binding;  // binding.h

// What an unset field means: the runtime's own default (rkllm_createDefaultParam).
struct RuntimeOptions {
  std::string model_path;
  std::optional<int32_t> max_context_len{};
  std::optional<int32_t> max_new_tokens{};
  // Of all runs; from 1.3.0 on a run can have its own. Only what the runtime knows: no min_p, seed or logit_bias.
  SamplingParams sampling{};
  std::optional<int32_t> n_keep{};  // from 1.2.0
  std::optional<bool> skip_special_token{};
  std::optional<int32_t> base_domain_id{};
  std::optional<bool> embed_flash{};            // from 1.2.0, as the next two
  std::optional<int32_t> enabled_cpus_num{};    // 1 to 8
  std::optional<uint32_t> enabled_cpus_mask{};  // bit i = CPU i
  int32_t n_batch = 1;                          // from 1.2.1; 1 to 100, because 0 is refused by the runtime
  std::optional<bool> use_cross_attn{};         // from 1.2.1
  LogTap* log = nullptr;                        // where the reasons for failures are read; outlives the runtime
};

enum class InferMode : uint8_t { kGenerate, kLastHiddenLayer };

struct RunRequest {
  std::variant<std::string, std::vector<int32_t>> input;  // text, or token ids; not empty
  InferMode mode = InferMode::kGenerate;
  std::string role = "user";     // "user" or "tool"; only with Features::role
  bool enable_thinking = false;  // only with Features::thinking
  // The KV cells that are there (a loaded prompt cache, earlier turns with keep_history) are the beginning of this run.
  // Else they are cleared first, where Features::clear_kv_cache says so. kConflict where nothing is there to continue.
  bool continue_kv = false;
  bool keep_history = false;                 // leave the cells for a next turn; only with Features::keep_history
  std::optional<int32_t> max_new_tokens{};   // only with Features::sampling_per_run, as the next
  std::optional<SamplingParams> sampling{};  // its unset fields: as at init
  std::string save_cache_path{};             // the prompt cache of this run is written there at its end; empty = not
  std::string lora_adapter{};                // name given to load_lora(); empty = none
};

struct Piece {
  int32_t token = -1;     // -1 where the runtime does not tell it
  std::string_view text;  // bytes; may be empty, may end inside a character
};
struct HiddenLayer {
  std::span<const float> values;  // tokens * width, token by token; valid only during the call
  int32_t tokens = 0;
  int32_t width = 0;
};

// Called one at a time, on the thread of run() or on one of the runtime's. The answer false asks for the end of the
// run, as abort() does; a few more pieces may follow, which are not handed on.
struct RunSink {
  std::function<bool(const Piece&)> on_piece{};
  std::function<void(const HiddenLayer&)> on_hidden_layer{};
};

struct PerfStats {  // with Features::perf
  int32_t prefill_tokens = 0;
  float prefill_ms = 0;
  int32_t generated_tokens = 0;
  float generate_ms = 0;
  float memory_mb = 0;  // most that the process has used
};

struct RunResult {
  bool aborted = false;  // by abort() or by the sink
  // Of an aborted run that the runtime calls failed: its last words. A state that it was to save may be cut off.
  std::string trouble{};
  std::optional<PerfStats> perf{};
};

class Runtime {
 public:
  // Loads a model: seconds to minutes. kInvalidArgument with both numbers where max_context_len is above the model's
  // limit, kUnavailable where the runtime gave no handle (no NPU memory), else kInternal.
  [[nodiscard]] static Result<std::unique_ptr<Runtime>> init(std::shared_ptr<const Library> library,
                                                             RuntimeOptions options);
  // Over other calls than the library's own.
  [[nodiscard]] static Result<std::unique_ptr<Runtime>> init(std::shared_ptr<const Library> library,
                                                             RuntimeOptions options, std::unique_ptr<Binding> binding);
  // Not while a run goes on. Does not free what the runtime holds.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  [[nodiscard]] const LibraryInfo& library() const;
  [[nodiscard]] Features features() const;

  // Returns when the runtime has said FINISH or ERROR, also after an abort. kInvalidArgument for what the features do
  // not offer; kInternal where the runtime refuses or fails. Where it stays silent although it returned, the error says
  // so, and every later call fails: the process is to be ended.
  [[nodiscard]] Result<RunResult> run(const RunRequest& request, const RunSink& sink);
  // Any thread, also in the sink. Ends the run that goes on, if any; returns at once. In prefill it takes effect late.
  void abort();
  [[nodiscard]] bool is_running() const;
  // A run came back without an end: nothing will work any more, the process is to be ended.
  [[nodiscard]] bool is_dead() const;

  // The next run with continue_kv may begin from this file, as far as its input matches; until release_prompt_cache().
  [[nodiscard]] Status load_prompt_cache(const std::string& path);
  [[nodiscard]] Status release_prompt_cache();
  [[nodiscard]] Status load_lora(const std::string& path, const std::string& name, float scale);

  // The rest is kUnsupported where features() does not have it.
  [[nodiscard]] Status clear_kv_cache();
  // Replaces the model's template, thinking and tools included. The runtime drops all KV cells at this.
  [[nodiscard]] Status set_chat_template(const std::string& system, const std::string& prefix,
                                         const std::string& postfix);
  // Needs a template that is not empty, and replaces its system text.
  [[nodiscard]] Status set_function_tools(const std::string& system, const std::string& tools_json,
                                          const std::string& tool_response_tag);
  [[nodiscard]] Result<int32_t> get_kv_cache_size();  // tokens

 private:
  class Impl;
  explicit Runtime(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rockllama::rkllm
