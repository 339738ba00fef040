#include "engines/scripted/scripted_engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <deque>
#include <fstream>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "base/clock.h"
#include "engines/scripted/faults.h"
#include "engines/scripted/script.h"
#include "engines/scripted/state_payload.h"

namespace rockllama {
namespace {

constexpr uint32_t kDefaultContextTokens = 8192;

void sleep_ms(double ms) {
  if (ms > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(ms));
}

struct Generation {
  GenerationTask task;
  std::vector<int32_t> answer{};
  uint32_t prefilled = 0;  // tokens
  uint32_t said = 0;       // tokens
  double began_ms = 0;
  double first_token_ms = 0;
};

struct Save {
  SaveStateTask task;
  uint32_t prefilled = 0;  // tokens
  double began_ms = 0;
};

class ScriptedEngine : public Engine {
 public:
  ScriptedEngine(const ModelSpec& spec, Script script, Vocabulary vocabulary, ScriptedHooks hooks)
      : script_(std::move(script)),
        faults_(script_.faults),
        vocabulary_(std::move(vocabulary)),
        hooks_(std::move(hooks)) {
    model_.capabilities = {.max_parallel = std::max(1u, spec.parallel), .token_counts = true, .state_save = true};
    model_.context_tokens = spec.context_tokens == 0 ? kDefaultContextTokens : spec.context_tokens;
    model_.trained_context_tokens = model_.context_tokens;
    model_.kv_bytes_per_token = sizeof(int32_t);
    model_.engine_version = "scripted";
    model_.engine_fingerprint = "scripted block=" + std::to_string(spec.block_tokens);
  }

  // Where the faults of loading come, after construction.
  void load() {
    std::fputs(script_.print.c_str(), stderr);
    sleep_ms(script_.load_delay_ms);
    faults_.at_load();
  }

  const LoadedModel& model() const override { return model_; }
  void start(GenerationTask task) override { waiting_.push_back({.task = std::move(task)}); }
  void save_state(SaveStateTask task) override { saves_.push_back({.task = std::move(task)}); }

  void embed(EmbeddingTask task) override {
    hooks_.sink(TaskFailed{task.id, {ErrorCode::kUnsupported, "This engine makes no embeddings."}});
  }

  void keep(RequestId /*id*/, uint64_t /*offer*/, UniqueFd /*file*/) override {}
  void offer_all() override {}
  [[nodiscard]] size_t unanswered_offers() override { return 0; }

  void add_credit(RequestId id, uint32_t tokens) override {
    for (auto* generations : {&waiting_, &running_}) {
      for (Generation& generation : *generations) {
        if (generation.task.id == id) generation.task.credit += tokens;
      }
    }
  }

  void cancel(RequestId id) override {
    const std::lock_guard lock(mutex_);
    cancelled_.insert(id);
  }

  bool step() override {
    const bool ended = drop_cancelled();
    const bool admitted = admit();
    const bool saved = step_save();
    const bool prefilled = prefill();
    return decode() || prefilled || saved || admitted || ended;
  }

 private:
  bool drop_cancelled() {
    std::set<RequestId> cancelled;
    {
      const std::lock_guard lock(mutex_);
      cancelled.swap(cancelled_);
    }
    const bool waiting = drop(cancelled, &waiting_);
    const bool running = drop(cancelled, &running_);
    const bool saving = drop(cancelled, &saves_);
    return waiting || running || saving;
  }

  template <class Task>
  bool drop(const std::set<RequestId>& cancelled, std::deque<Task>* tasks) {
    bool some = false;
    for (auto task = tasks->begin(); task != tasks->end();) {
      const RequestId id = task->task.id;
      if (!cancelled.contains(id)) {
        ++task;
        continue;
      }
      task = tasks->erase(task);
      hooks_.sink(TaskFailed{id, cancelled_error()});
      some = true;
    }
    return some;
  }

  bool admit() {
    bool some = false;
    for (; !waiting_.empty() && running_.size() < model_.capabilities.max_parallel; some = true) {
      running_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
      begin(&running_.back());
    }
    return some;
  }

  void begin(Generation* generation) {
    const std::string prompt = text_of(generation->task.tokens);
    faults_.at_start(prompt);
    generation->began_ms = steady_ms();
    generation->answer = spoken_tokens(generation->task.tokens);
    const CacheUse use = restore(generation->task);
    generation->prefilled = use.tokens;
    hooks_.sink(GenerationStarted{generation->task.id, use});
  }

  CacheUse restore(const GenerationTask& task) {
    CacheUse use{.name = task.cache_name, .reason = task.no_state_reason};
    use.tier = task.cache_name.empty() ? CacheTier::kNone : CacheTier::kText;
    if (!task.prefix) return use;
    const PrefixState& state = *task.prefix;
    const double began_ms = steady_ms();
    if (resident_.contains(state.key.id)) {
      use.tier = CacheTier::kResident;
    } else if (!state.file.valid()) {
      use.reason = "the state is not resident and its file could not be had";
    } else {
      hooks_.sink(RestoreBegins{task.id, state.key.id});
      faults_.at_restore();
      if (holds_prefix(state, task.tokens)) {
        use.tier = CacheTier::kDisk;
        resident_.insert(state.key.id);
      } else {
        use.reason = "the state file holds something else";
      }
    }
    use.restore_ms = steady_ms() - began_ms;
    if (use.tier != CacheTier::kText) use.tokens = state.reuse_tokens;
    return use;
  }

  static bool holds_prefix(const PrefixState& state, const std::vector<int32_t>& prompt) {
    const auto tokens = read_state_payload(state.file.get());
    return tokens && tokens->size() == state.key.tokens && hash_tokens(*tokens) == state.key.token_hash &&
           state.reuse_tokens <= prompt.size() &&
           std::equal(prompt.begin(), prompt.begin() + state.reuse_tokens, tokens->begin());
  }

  // One block of the first generation that is not prefilled yet.
  bool prefill() {
    for (Generation& generation : running_) {
      if (prefill_block(generation.task.cuts, &generation.prefilled, generation.task.id)) return true;
    }
    return false;
  }

  bool prefill_block(const std::vector<uint32_t>& cuts, uint32_t* done, RequestId id) {
    const auto cut = std::upper_bound(cuts.begin(), cuts.end(), *done);
    if (cut == cuts.end()) return false;
    sleep_ms(script_.prefill_delay_ms_per_token * (*cut - *done));
    *done = *cut;
    hooks_.sink(PrefillProgress{id, *done, cuts.back()});
    return true;
  }

  bool decode() {
    bool some = false;
    bool slept = false;
    for (size_t i = 0; i < running_.size();) {
      Generation& generation = running_[i];
      const bool ready = generation.prefilled == generation.task.tokens.size() && generation.task.credit > 0;
      if (ready && !slept) sleep_ms(script_.token_delay_ms);
      slept = slept || ready;
      some = some || ready;
      const bool finished = ready && say_token(&generation);
      if (finished) running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
      if (!finished) ++i;
    }
    return some;
  }

  // True when the generation is finished.
  bool say_token(Generation* generation) {
    if (generation->said == generation->answer.size()) return finish(*generation, FinishReason::kStop);
    if (generation->said == 0) generation->first_token_ms = steady_ms();
    const int32_t token = generation->answer[generation->said++];
    faults_.at_token(generation->said);
    if (faults_.garbage_at(generation->said)) hooks_.send_garbage();
    --generation->task.credit;
    if (!hooks_.sink(TokenGenerated{generation->task.id, token, text_of(token)})) {
      return finish(*generation, FinishReason::kStop);
    }
    return generation->said == generation->task.max_tokens && finish(*generation, FinishReason::kLength);
  }

  bool finish(const Generation& generation, FinishReason reason) {
    const double now = steady_ms();
    const double first_ms = generation.said == 0 ? now : generation.first_token_ms;
    const Usage usage{.prompt_tokens = static_cast<uint32_t>(generation.task.tokens.size()),
                      .completion_tokens = generation.said,
                      .prefill_ms = first_ms - generation.began_ms,
                      .decode_ms = now - first_ms};
    hooks_.sink(GenerationFinished{generation.task.id, reason, usage});
    return true;
  }

  bool step_save() {
    if (saves_.empty()) return false;
    Save& save = saves_.front();
    if (save.prefilled == 0) {
      save.began_ms = steady_ms();
      faults_.at_save();
    }
    if (!script_.refuse_save && prefill_block(save.task.cuts, &save.prefilled, save.task.id)) return true;
    finish_save(save);
    saves_.pop_front();
    return true;
  }

  void finish_save(const Save& save) {
    if (script_.refuse_save) {
      hooks_.sink(TaskFailed{save.task.id, {ErrorCode::kUnsupported, "The script refuses to save states."}});
      return;
    }
    const auto bytes = write_state_payload(save.task.file.get(), save.task.tokens);
    if (!bytes) {
      hooks_.sink(TaskFailed{save.task.id, bytes.error()});
      return;
    }
    const double took_ms = steady_ms() - save.began_ms;
    const SavedState state{.tokens = static_cast<uint32_t>(save.task.tokens.size()),
                           .token_hash = hash_tokens(save.task.tokens),
                           .anchor = anchor_of(save.task.tokens),
                           .bytes = *bytes,
                           .cuts = save.task.cuts,
                           .prefill_ms = took_ms,
                           .first_token_ms = took_ms};
    hooks_.sink(StateWritten{save.task.id, state});
  }

  // What the benchmarks measure the path of a token with.
  std::string text_of(int32_t token) const {
    if (script_.clock) return " " + std::to_string(std::llround(steady_ms() * 1000));
    return vocabulary_.piece(token);
  }

  std::string text_of(const std::vector<int32_t>& tokens) const {
    std::string text;
    for (const int32_t token : tokens) text += vocabulary_.piece(token);
    return text;
  }

  const std::string& answer_to(const std::vector<int32_t>& prompt) const {
    if (script_.answers_by_word.empty()) return script_.answer;
    const std::string text = text_of(prompt);
    const auto fits = std::find_if(script_.answers_by_word.begin(), script_.answers_by_word.end(),
                                   [&](const auto& entry) { return text.find(entry.first) != std::string::npos; });
    return fits == script_.answers_by_word.end() ? script_.answer : fits->second;
  }

  // Control tokens have no text and are not said.
  std::vector<int32_t> spoken_tokens(const std::vector<int32_t>& prompt) const {
    std::vector<int32_t> once = script_.echo ? prompt : vocabulary_.tokenize_text(answer_to(prompt)).value_or(prompt);
    std::erase_if(once, [this](int32_t token) { return vocabulary_.piece(token).empty(); });
    std::vector<int32_t> tokens;
    for (uint32_t i = 0; i < script_.repeat; ++i) tokens.insert(tokens.end(), once.begin(), once.end());
    return tokens;
  }

  Script script_;
  Faults faults_;
  Vocabulary vocabulary_;
  ScriptedHooks hooks_;
  LoadedModel model_;
  std::deque<Generation> waiting_;
  std::deque<Generation> running_;
  std::deque<Save> saves_;
  std::set<std::string> resident_;  // ids of states that were restored before
  std::mutex mutex_;
  std::set<RequestId> cancelled_;
};

}  // namespace

Result<std::unique_ptr<Engine>> make_scripted_engine(const ModelSpec& spec, Vocabulary vocabulary,
                                                     ScriptedHooks hooks) {
  const std::ifstream file(spec.file);
  if (!file) return fail(ErrorCode::kNotFound, "The script of the model cannot be read.");
  std::stringstream text;
  text << file.rdbuf();
  auto script = parse_script(text.str());
  if (!script) return fail(script.error());
  auto engine = std::make_unique<ScriptedEngine>(spec, std::move(*script), std::move(vocabulary), std::move(hooks));
  engine->load();
  return engine;
}

}  // namespace rockllama
