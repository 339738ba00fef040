#include "engines/rkllm/rkllm_engine.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <set>
#include <utility>

#include "base/clock.h"
#include "engines/rkllm/byte_tokens.h"
#include "engines/rkllm/credit_gate.h"
#include "engines/rkllm/prefill_evidence.h"
#include "engines/rkllm/running_task.h"
#include "engines/rkllm/runtime_jobs.h"
#include "engines/rkllm/runtime_sampling.h"
#include "engines/rkllm/runtime_thread.h"

namespace rockllama::rkllm {
namespace {

// How long a step waits for the runtime; credit for a run that ran out of it waits as long at most.
constexpr std::chrono::milliseconds kStep{10};

class RkllmEngine : public Engine {
 public:
  RkllmEngine(const ModelSpec& spec, RkllmModel loaded, ScratchFolder folder, EngineSink sink)
      : loaded_(std::move(loaded)),
        described_(describe(loaded_, spec)),
        pooler_(pooling_named(spec.embedding.pooling, Pooling::kMean), spec.embedding.normalize),
        sink_(std::move(sink)),
        jobs_(loaded_.runtime.get(), StateFiles(std::move(folder))) {}

  ~RkllmEngine() override { end_run(); }

  const LoadedModel& model() const override { return described_; }
  void start(GenerationTask task) override {
    const RequestId id = task.id;
    waiting_.push_back({.id = id, .generation = std::move(task)});
  }
  void save_state(SaveStateTask task) override {
    const RequestId id = task.id;
    waiting_.push_back({.id = id, .save = std::move(task)});
  }

  void embed(EmbeddingTask task) override {
    const RequestId id = task.id;
    waiting_.push_back({.id = id, .embedding = std::move(task)});
  }

  // Nothing is ever offered.
  void keep(RequestId id, uint64_t /*offer*/, UniqueFd file) override {
    if (file.valid()) sink_(TaskFailed{id, {ErrorCode::kNotFound, "There is no such offer."}});
  }
  void offer_all() override {}
  [[nodiscard]] size_t unanswered_offers() override { return 0; }

  void add_credit(RequestId id, uint32_t tokens) override {
    if (running_ && running_->id == id) return gate_.add(tokens);
    for (RunningTask& task : waiting_) {
      if (task.id == id && task.generation) task.generation->credit += tokens;
    }
  }

  void cancel(RequestId id) override {
    {
      // Held until the run is told, so that the next one is not ended in its place.
      const std::lock_guard lock(mutex_);
      cancelled_.insert(id);
      if (running_id_ == id) end_run();
    }
    thread_.wake();
  }

  bool step() override {
    drop_cancelled();
    if (!running_ && !waiting_.empty()) begin_next();
    if (!running_) return false;
    thread_.take_news(kStep);
    return running_ || !waiting_.empty();
  }

 private:
  void drop_cancelled() {
    std::set<RequestId> cancelled;
    {
      const std::lock_guard lock(mutex_);
      cancelled.swap(cancelled_);
    }
    if (running_ && cancelled.contains(running_->id)) {
      end_run();
      fail_running(cancelled_error());
    }
    std::erase_if(waiting_, [&](const RunningTask& task) {
      if (!cancelled.contains(task.id)) return false;
      sink_(TaskFailed{task.id, cancelled_error()});
      return true;
    });
  }

  void begin_next() {
    running_ = std::move(waiting_.front());
    waiting_.pop_front();
    running_->began_ms = steady_ms();
    {
      const std::lock_guard lock(mutex_);
      gate_.open(running_->generation ? running_->generation->credit : 0);
      running_id_ = running_->id;
    }
    if (running_->generation) {
      begin_generation(*running_->generation);
    } else if (running_->save) {
      begin_save(*running_->save);
    } else {
      begin_embedding(*running_->embedding);
    }
  }

  [[nodiscard]] RunRequest request_for(const std::vector<int32_t>& tokens) const {
    RunRequest request{.input = tokens};
    if (loaded_.prompt.mode != PromptMode::kTokens) request.input = text_of_bytes(tokens);
    request.lora_adapter = loaded_.lora_adapter;
    return request;
  }

  void begin_generation(const GenerationTask& task) {
    const Features features = loaded_.runtime->features();
    GenerationJob job{.request = request_for(task.tokens)};
    job.request.enable_thinking =
        task.enable_thinking && features.thinking && loaded_.prompt.mode == PromptMode::kNative;
    if (features.sampling_per_run) {
      job.request.sampling = as_runtime_takes(task.sampling);
      job.request.max_new_tokens = static_cast<int32_t>(task.max_tokens);
    }
    running_->use = {.name = task.cache_name, .reason = task.no_state_reason};
    if (!task.cache_name.empty()) running_->use.tier = CacheTier::kText;
    choose_state(task, &job);
    job.may_go_on = [this] { return !gate_.stopped(); };
    job.on_piece = [this, left = task.max_tokens](const Piece& piece) mutable {
      if (!gate_.pass()) return false;
      thread_.tell([this, token = piece.token, text = std::string(piece.text), now = steady_ms()] {
        take_piece(token, text, now);
      });
      return --left > 0;
    };
    thread_.begin([this, job = std::move(job)]() mutable {
      const GenerationReport report = jobs_.generate(std::move(job));
      thread_.tell([this, report] { end_generation(report); });
    });
  }

  // With a state the start is told with the first token: until then the state is to blame if the process dies.
  void choose_state(const GenerationTask& task, GenerationJob* job) {
    if (task.prefix && task.prefix->file.valid()) {
      sink_(RestoreBegins{task.id, task.prefix->key.id});
      job->state_file = task.prefix->file.get();
      running_->use.provisional = true;
      return;
    }
    if (task.prefix) running_->use.reason = "the state's file could not be had";
    tell_start();
  }

  void tell_start() {
    if (std::exchange(running_->started, true)) return;
    sink_(GenerationStarted{running_->id, running_->use});
  }

  void take_piece(int32_t token, const std::string& text, double now_ms) {
    RunningTask& task = *running_;
    if (task.over || task.stopped) return;
    if (task.said == 0) take_first_piece(now_ms);
    ++task.said;
    task.last_token_ms = now_ms;
    if (!sink_(TokenGenerated{task.id, token, text})) {
      stop(FinishReason::kStop);
    } else if (task.said == task.generation->max_tokens) {
      stop(FinishReason::kLength);
    }
  }

  void take_first_piece(double now_ms) {
    RunningTask& task = *running_;
    const bool cold = !task.use.provisional;
    task.first_token_ms = now_ms;
    tell_start();
    // The runtime says nothing earlier; what a state saved would look like speed.
    const auto tokens = static_cast<uint32_t>(task.generation->tokens.size());
    if (cold) sink_(PrefillProgress{task.id, tokens, tokens});
  }

  void stop(FinishReason reason) {
    running_->stopped = reason;
    end_run();
  }

  // The runtime takes its time; what it still says is not heard.
  void end_run() {
    gate_.stop();
    loaded_.runtime->abort();
  }

  void end_generation(const GenerationReport& report) {
    if (!report.result && !running_->over) fail_running(report.result.error());
    if (!running_->over) {
      judge_use(report);
      tell_start();
      sink_(GenerationFinished{running_->id, running_->stopped.value_or(FinishReason::kStop),
                               usage_of(report.result->perf), running_->use});
    }
    let_go();
  }

  void judge_use(const GenerationReport& report) {
    CacheUse& use = running_->use;
    use.provisional = false;
    if (!running_->generation->prefix) return;
    use.restore_ms = report.restore_ms;
    if (!report.state_loaded) {
      if (!report.state_problem.empty()) use.reason = report.state_problem;
      return;
    }
    const PrefixState& state = *running_->generation->prefix;
    PrefillEvidence evidence{.prompt = static_cast<uint32_t>(running_->generation->tokens.size()),
                             .state = state.key.tokens,
                             .reusable = state.reuse_tokens,
                             .counted_state = state.key.counted_tokens};
    if (report.result->perf) evidence.prefilled = static_cast<uint32_t>(report.result->perf->prefill_tokens);
    PrefillVerdict verdict = judge_prefill(evidence);
    use.tokens = verdict.reused_tokens;
    use.reason = std::move(verdict.reason);
    if (use.tokens != 0) use.tier = CacheTier::kDisk;
  }

  [[nodiscard]] Usage usage_of(const std::optional<PerfStats>& perf) const {
    const RunningTask& task = *running_;
    Usage usage{.completion_tokens = task.said};
    if (loaded_.prompt.mode == PromptMode::kTokens) {
      usage.prompt_tokens = static_cast<uint32_t>(task.generation->tokens.size());
    } else if (perf) {
      usage.prompt_tokens = static_cast<uint32_t>(perf->prefill_tokens) + task.use.tokens;
    }
    const double first_ms = task.first_token_ms == 0 ? steady_ms() : task.first_token_ms;
    usage.prefill_ms = first_ms - task.began_ms;
    if (task.said > 1) usage.decode_ms = task.last_token_ms - task.first_token_ms;
    return usage;
  }

  void begin_save(const SaveStateTask& task) {
    SaveJob job{.request = request_for(task.tokens), .file = task.file.get()};
    if (loaded_.runtime->features().sampling_per_run) job.request.max_new_tokens = 1;
    job.may_go_on = [this] { return !gate_.stopped(); };
    thread_.begin([this, job = std::move(job)]() mutable {
      const auto report = jobs_.save(std::move(job));
      thread_.tell([this, report] { end_save(report); });
    });
  }

  void end_save(const Result<SaveReport>& report) {
    if (!report && !running_->over) fail_running(report.error());
    if (!running_->over) sink_(StateWritten{running_->id, saved_state(*running_->save, *report)});
    let_go();
  }

  [[nodiscard]] SavedState saved_state(const SaveStateTask& task, const SaveReport& report) const {
    SavedState state{.tokens = static_cast<uint32_t>(task.tokens.size()),
                     .token_hash = hash_tokens(task.tokens),
                     .anchor = anchor_of(task.tokens),
                     .bytes = report.bytes,
                     .cuts = task.cuts,
                     .prefill_ms = report.first_token_ms,
                     .first_token_ms = report.first_token_ms};
    if (loaded_.prompt.mode != PromptMode::kTokens) {
      state.counted_tokens = report.perf ? static_cast<uint32_t>(report.perf->prefill_tokens) : 0;
    }
    return state;
  }

  void begin_embedding(const EmbeddingTask& task) {
    EmbeddingJob job{.requests = {}, .pooler = pooler_};
    uint32_t total = 0;
    for (const auto& input : task.inputs) {
      job.requests.push_back(request_for(input));
      total += static_cast<uint32_t>(input.size());
    }
    job.may_go_on = [this] { return !gate_.stopped(); };
    job.on_progress = [this, id = task.id, total](uint32_t done) {
      thread_.tell([this, id, done, total] {
        if (!running_->over) sink_(PrefillProgress{id, done, std::max(done, total)});
      });
    };
    thread_.begin([this, job = std::move(job)]() mutable {
      const auto made = jobs_.embed(std::move(job));
      thread_.tell([this, made] { end_embedding(made); });
    });
  }

  void end_embedding(const Result<Embeddings>& made) {
    if (!made && !running_->over) fail_running(made.error());
    if (!running_->over) sink_(EmbeddingsMade{running_->id, *made});
    let_go();
  }

  // Once; what the run still tells is not heard.
  void fail_running(const Error& error) {
    if (std::exchange(running_->over, true)) return;
    sink_(TaskFailed{running_->id, error});
  }

  void let_go() {
    {
      const std::lock_guard lock(mutex_);
      running_id_.reset();
    }
    running_.reset();
    // All is said; a new process can do what this one cannot any more.
    if (loaded_.runtime->is_dead()) ::_exit(EXIT_FAILURE);
  }

  RkllmModel loaded_;
  LoadedModel described_;
  Pooler pooler_;
  EngineSink sink_;
  CreditGate gate_;
  std::deque<RunningTask> waiting_;
  std::optional<RunningTask> running_;

  std::mutex mutex_;  // guards what cancel() touches
  std::set<RequestId> cancelled_;
  std::optional<RequestId> running_id_;

  RuntimeJobs jobs_;
  RuntimeThread thread_;  // last: it uses what stands above
};

}  // namespace

Result<std::unique_ptr<Engine>> make_rkllm_engine(const ModelSpec& spec, RkllmModel model, EngineSink sink) {
  auto folder = ScratchFolder::make();
  if (!folder) return fail(folder.error());
  return std::make_unique<RkllmEngine>(spec, std::move(model), std::move(*folder), std::move(sink));
}

}  // namespace rockllama::rkllm
