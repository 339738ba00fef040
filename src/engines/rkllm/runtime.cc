#include "engines/rkllm/runtime.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "domain/runtime_log.h"
#include "engines/rkllm/aborter.h"
#include "engines/rkllm/binding.h"
#include "engines/rkllm/run_monitor.h"
#include "engines/rkllm/run_rules.h"

namespace rockllama::rkllm {
namespace {

// Two at a time are undefined.
std::mutex& init_mutex() {
  static std::mutex mutex;
  return mutex;
}

// With the usual limit of 1024 init can fail with "Too many open files".
void raise_descriptor_limit() {
  constexpr rlim_t kEnough = 102400;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kEnough) return;
  limit.rlim_cur = std::min(limit.rlim_max, kEnough);
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

}  // namespace

class Runtime::Impl {
  // What the KV cells hold between runs.
  enum class KvCells : uint8_t { kNone, kDiscarded, kLeft };

 public:
  Impl(std::shared_ptr<const Library> opened, RuntimeOptions wanted, std::unique_ptr<Binding> binding)
      : library(std::move(opened)), options(std::move(wanted)), binding_(std::move(binding)) {}

  Status init();
  Result<RunResult> run(const RunRequest& request, const RunSink& sink);
  void abort() { aborter_.request(); }
  bool is_running() const { return binding_->is_running(); }
  Features features() const { return library->features(); }
  // Whether the library is done with everything that it was given.
  bool at_rest() const { return !busy_ && !dead_; }
  bool is_dead() const { return dead_; }
  // The last call, at rest.
  std::unique_ptr<Binding> take_binding() { return std::move(binding_); }

  Status load_prompt_cache(const std::string& path);
  Status release_prompt_cache();
  Status load_lora(const std::string& path, const std::string& name, float scale);
  Status clear_kv_cache();
  Status set_chat_template(const std::string& system, const std::string& prefix, const std::string& postfix);
  Status set_function_tools(const std::string& system, const std::string& tools, const std::string& tag);
  Result<int32_t> get_kv_cache_size();

  const std::shared_ptr<const Library> library;
  const RuntimeOptions options;

 private:
  // Claims the handle for one call; released by its destructor.
  class Claim {
   public:
    explicit Claim(std::atomic<bool>* busy) : busy_(busy), owned_(!busy->exchange(true)) {}
    ~Claim() {
      if (owned_) busy_->store(false);
    }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    [[nodiscard]] bool owned() const { return owned_; }

   private:
    std::atomic<bool>* busy_;
    bool owned_;
  };

  template <class Call>
  Status call(const char* function, bool offered, const Call& library_call);
  Status claimed(const Claim& claim) const;
  Status clear_stale(const RunRequest& request);
  RunOutcome run_to_end(const RunRequest& request, const RunSink& sink);
  void forget_cells() {
    cells_ = KvCells::kNone;
    history_kept_ = false;
  }
  Error refused(const std::string& what, int code, uint64_t mark) const {
    return runtime_error(what, code, last_words(lines_since(mark)));
  }
  Status judge_init(const Binding::InitAnswer& answer, uint64_t mark) const;
  uint64_t mark() const { return options.log != nullptr ? options.log->mark() : 0; }
  std::vector<std::string> lines_since(uint64_t mark) const {
    return options.log != nullptr ? options.log->lines(mark) : std::vector<std::string>();
  }

  std::unique_ptr<Binding> binding_;
  Aborter aborter_{{.abort = [this] { static_cast<void>(binding_->abort()); },
                    .is_running = [this] { return binding_->is_running(); }}};
  RunMonitor monitor_{&aborter_};
  const CallbackReceiver receiver_ = [this](const CallbackEvent& event) { monitor_.take(event); };
  std::atomic<bool> busy_ = false;
  std::atomic<bool> dead_ = false;  // a run did not end: whatever it was given may still be read

  KvCells cells_ = KvCells::kNone;
  bool history_kept_ = false;
  bool cache_loaded_ = false;
};

Status Runtime::Impl::claimed(const Claim& claim) const {
  if (!claim.owned()) return fail(ErrorCode::kConflict, "The RKLLM runtime does one thing at a time, and is at it.");
  if (dead_) return fail(ErrorCode::kInternal, "The RKLLM runtime does not answer any more.");
  return {};
}

template <class Call>
Status Runtime::Impl::call(const char* function, bool offered, const Call& library_call) {
  if (!offered) {
    return fail(ErrorCode::kUnsupported,
                "Version " + library->info().version + " of the RKLLM runtime has no " + function + ".");
  }
  const Claim claim(&busy_);
  if (Status fine = claimed(claim); !fine) return fine;
  const uint64_t before = mark();
  const int code = library_call();
  if (code != 0) return fail(refused(std::string("refuses ") + function, code, before));
  return {};
}

Status Runtime::Impl::init() {
  if (options.n_batch < 1 || options.n_batch > 100) {
    return fail(ErrorCode::kInvalidArgument,
                "n_batch is " + std::to_string(options.n_batch) + ", but has to be from 1 to 100.", "n_batch");
  }
  raise_descriptor_limit();
  const std::lock_guard lock(init_mutex());
  const uint64_t before = mark();
  return judge_init(binding_->init(options, &receiver_), before);
}

Status Runtime::Impl::judge_init(const Binding::InitAnswer& answer, uint64_t mark) const {
  if (answer.code == 0 && answer.has_handle) return {};
  if (const auto refusal = context_refusal(lines_since(mark))) {
    return fail(ErrorCode::kInvalidArgument,
                "max_context_len is " + std::to_string(refusal->asked) + ", but this model was made for at most " +
                    std::to_string(refusal->limit) + " tokens.",
                "max_context_len");
  }
  if (answer.code != 0) return fail(refused("cannot load the model", answer.code, mark));
  Error error = refused("gave no handle for the model, perhaps for want of NPU memory", answer.code, mark);
  error.code = ErrorCode::kUnavailable;
  return fail(std::move(error));
}

Status Runtime::Impl::clear_stale(const RunRequest& request) {
  if (request.continue_kv || cells_ == KvCells::kNone || !features().clear_kv_cache) return {};
  const uint64_t before = mark();
  const int code = binding_->clear_kv_cache();
  // Cells that the runtime itself discarded are only cleared to be sure of it.
  if (code != 0 && cells_ == KvCells::kLeft) {
    return fail(refused("cannot clear what an earlier run left", code, before));
  }
  forget_cells();
  return {};
}

RunOutcome Runtime::Impl::run_to_end(const RunRequest& request, const RunSink& sink) {
  RunOutcome outcome;
  const uint64_t before = mark();
  aborter_.run_begins();
  monitor_.begins(&sink, request.mode);
  outcome.code = binding_->run(request);
  // A refused run has no callbacks to wait for.
  outcome.report = monitor_.ends(outcome.code == 0, [this] { return is_running(); });
  outcome.aborted = aborter_.run_ended();
  if (outcome.silent()) {
    dead_ = true;
  } else {
    binding_->end_run();
  }
  outcome.last_words = last_words(lines_since(before));
  return outcome;
}

Result<RunResult> Runtime::Impl::run(const RunRequest& request, const RunSink& sink) {
  if (Status fine = check_run(request, features()); !fine) return fail(fine.error());
  const Claim claim(&busy_);
  if (Status fine = claimed(claim); !fine) return fail(fine.error());
  if (request.continue_kv && !history_kept_ && !cache_loaded_) {
    return fail(ErrorCode::kConflict, "The RKLLM runtime holds nothing that this run could continue.");
  }
  if (Status cleared = clear_stale(request); !cleared) return fail(cleared.error());
  const RunOutcome outcome = run_to_end(request, sink);
  const Result<RunResult> result = judge_run(outcome, features());
  history_kept_ = request.keep_history && result.has_value();
  cells_ = result && !outcome.aborted && !request.keep_history ? KvCells::kDiscarded : KvCells::kLeft;
  return result;
}

Status Runtime::Impl::load_prompt_cache(const std::string& path) {
  Status loaded = call("rkllm_load_prompt_cache", true, [&] { return binding_->load_prompt_cache(path); });
  if (loaded) cache_loaded_ = true;
  return loaded;
}

Status Runtime::Impl::release_prompt_cache() {
  cache_loaded_ = false;
  return call("rkllm_release_prompt_cache", true, [&] { return binding_->release_prompt_cache(); });
}

Status Runtime::Impl::load_lora(const std::string& path, const std::string& name, float scale) {
  return call("rkllm_load_lora", true, [&] { return binding_->load_lora(path, name, scale); });
}

Status Runtime::Impl::clear_kv_cache() {
  Status cleared = call("rkllm_clear_kv_cache", features().clear_kv_cache, [&] { return binding_->clear_kv_cache(); });
  if (cleared) forget_cells();
  return cleared;
}

Status Runtime::Impl::set_chat_template(const std::string& system, const std::string& prefix,
                                        const std::string& postfix) {
  Status set = call("rkllm_set_chat_template", features().chat_template,
                    [&] { return binding_->set_chat_template(system, prefix, postfix); });
  // The runtime drops every cell at this, those of a loaded prompt cache too.
  if (set) {
    forget_cells();
    cache_loaded_ = false;
  }
  return set;
}

Status Runtime::Impl::set_function_tools(const std::string& system, const std::string& tools, const std::string& tag) {
  return call("rkllm_set_function_tools", features().function_tools,
              [&] { return binding_->set_function_tools(system, tools, tag); });
}

Result<int32_t> Runtime::Impl::get_kv_cache_size() {
  int32_t tokens = 0;
  const Status asked =
      call("rkllm_get_kv_cache_size", features().kv_cache_size, [&] { return binding_->get_kv_cache_size(&tokens); });
  if (!asked) return fail(asked.error());
  return tokens;
}

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Runtime::~Runtime() {
  const std::lock_guard lock(init_mutex());
  // Never freed: the library has the addresses of what it was given, and the model of its handle.
  static auto* const kept_bindings = new std::vector<std::unique_ptr<Binding>>;
  static auto* const kept_whole = new std::vector<std::unique_ptr<Impl>>;
  if (impl_->at_rest()) {
    kept_bindings->push_back(impl_->take_binding());
  } else {
    kept_whole->push_back(std::move(impl_));
  }
}

Result<std::unique_ptr<Runtime>> Runtime::init(std::shared_ptr<const Library> library, RuntimeOptions options) {
  auto binding = make_binding(*library);
  return init(std::move(library), std::move(options), std::move(binding));
}

Result<std::unique_ptr<Runtime>> Runtime::init(std::shared_ptr<const Library> library, RuntimeOptions options,
                                               std::unique_ptr<Binding> binding) {
  auto impl = std::make_unique<Impl>(std::move(library), std::move(options), std::move(binding));
  if (Status loaded = impl->init(); !loaded) return fail(loaded.error());
  return std::unique_ptr<Runtime>(new Runtime(std::move(impl)));
}

const LibraryInfo& Runtime::library() const { return impl_->library->info(); }
Features Runtime::features() const { return impl_->features(); }
Result<RunResult> Runtime::run(const RunRequest& request, const RunSink& sink) { return impl_->run(request, sink); }
void Runtime::abort() { impl_->abort(); }
bool Runtime::is_running() const { return impl_->is_running(); }
bool Runtime::is_dead() const { return impl_->is_dead(); }
Status Runtime::load_prompt_cache(const std::string& path) { return impl_->load_prompt_cache(path); }
Status Runtime::release_prompt_cache() { return impl_->release_prompt_cache(); }
Status Runtime::load_lora(const std::string& path, const std::string& name, float scale) {
  return impl_->load_lora(path, name, scale);
}
Status Runtime::clear_kv_cache() { return impl_->clear_kv_cache(); }
Status Runtime::set_chat_template(const std::string& system, const std::string& prefix, const std::string& postfix) {
  return impl_->set_chat_template(system, prefix, postfix);
}
Status Runtime::set_function_tools(const std::string& system, const std::string& tools_json,
                                   const std::string& tool_response_tag) {
  return impl_->set_function_tools(system, tools_json, tool_response_tag);
}
Result<int32_t> Runtime::get_kv_cache_size() { return impl_->get_kv_cache_size(); }

}  // namespace rockllama::rkllm
