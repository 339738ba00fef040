// Drives a llama.cpp engine in a test and keeps what it says. The model is that of ROCKLLAMA_TEST_MODEL, loaded once.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "engine/cut_plan.h"
#include "engine/engine.h"
#include "engines/llama_cpp/llama_cpp_engine.h"
#include "tokenizer/vocabulary.h"

namespace rockllama {

inline const std::shared_ptr<llama_model>& test_model() {
  static const std::shared_ptr<llama_model> model = [] {
    const char* path = std::getenv("ROCKLLAMA_TEST_MODEL");
    if (path == nullptr) throw std::runtime_error("ROCKLLAMA_TEST_MODEL must name the demo model; script/test sets it");
    return load_llama_model({.file = path}).value();
  }();
  return model;
}

// `count` tokens of English; texts of other seeds differ from the first sentence on.
inline std::vector<int32_t> test_tokens(size_t count, int seed = 0) {
  std::string text;
  for (int i = 0; text.size() < count * 6 + 100; ++i) {
    text += "Rule " + std::to_string(seed * 1000 + i) + ": the assistant answers in plain words and names its source. ";
  }
  std::vector<int32_t> tokens = Vocabulary(test_model()).tokenize_text(text).value();
  tokens.resize(count);
  return tokens;
}

inline std::vector<int32_t> joined(std::vector<int32_t> a, const std::vector<int32_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline UniqueFd memory_file() { return UniqueFd(::memfd_create("state", MFD_CLOEXEC)); }
inline UniqueFd copy_of(const UniqueFd& file) { return UniqueFd(::dup(file.get())); }

inline ModelSpec test_spec() {
  return {.context_tokens = 2048,
          .kv_tokens = 4096,
          .parallel = 3,
          .block_tokens = 128,
          .threads = 2,
          .automatic_memory_bytes = 1u << 30};
}

class LlamaEngineRun {
 public:
  struct Outcome {
    std::vector<int32_t> tokens{};
    std::string text{};
    std::vector<std::vector<float>> logits{};
    std::optional<CacheUse> cache{};
    std::optional<FinishReason> finished{};
    std::optional<Error> error{};
    std::optional<SavedState> saved{};
    std::optional<Embeddings> embedded{};
    Usage usage{};
    uint32_t prefilled = 0;  // tokens
    uint32_t prefill_done = 0;
  };

  explicit LlamaEngineRun(const ModelSpec& spec = test_spec(), const std::shared_ptr<llama_model>& model = test_model())
      : spec_(spec) {
    LlamaEngineOptions options;
    options.on_logits = [this](RequestId id, std::span<const float> logits) {
      if (keep_logits) outcomes[id].logits.emplace_back(logits.begin(), logits.end());
    };
    engine_ = make_llama_cpp_engine(
                  spec, model, [this](const EngineEvent& event) { return take(event); }, options)
                  .value();
  }

  Engine& engine() { return *engine_; }

  CutPlan plan(const std::vector<int32_t>& prompt, const std::vector<int32_t>& prefix) const {
    const auto cuts = block_cuts(0, static_cast<uint32_t>(prefix.size()), spec_.block_tokens);
    return plan_cuts(prompt, prefix, cuts, spec_.block_tokens);
  }

  // A greedy generation of `max_tokens`, with the plan that it has over `prefix`; nothing of it is reused.
  GenerationTask task(RequestId id, const std::vector<int32_t>& prompt, uint32_t max_tokens,
                      const std::vector<int32_t>& prefix = {}) const {
    GenerationTask task;
    task.id = id;
    task.tokens = prompt;
    task.cuts = plan(prompt, prefix).cuts;
    task.sampling.temperature = 0.0F;
    task.max_tokens = max_tokens;
    task.credit = 1u << 30;
    return task;
  }

  // The same, reusing the state of `prefix` that `file` holds.
  GenerationTask task_over(RequestId id, const std::vector<int32_t>& prompt, uint32_t max_tokens,
                           const std::vector<int32_t>& prefix, const std::string& state_id, UniqueFd file) const {
    GenerationTask over = task(id, prompt, max_tokens, prefix);
    over.cache_name = state_id;
    PrefixState state;
    state.key = {state_id, static_cast<uint32_t>(prefix.size()), hash_tokens(prefix)};
    state.reuse_tokens = plan(prompt, prefix).reuse_tokens;
    state.file = std::move(file);
    over.prefix = std::move(state);
    return over;
  }

  SaveStateTask save_task(RequestId id, const std::vector<int32_t>& prefix, UniqueFd file) const {
    SaveStateTask save;
    save.id = id;
    save.tokens = prefix;
    save.cuts = block_cuts(0, static_cast<uint32_t>(prefix.size()), spec_.block_tokens);
    save.file = std::move(file);
    return save;
  }

  void run() {
    while (engine_->step()) continue;
  }

  Outcome& run(GenerationTask task) {
    const RequestId id = task.id;
    engine_->start(std::move(task));
    run();
    return outcomes[id];
  }

  UniqueFd save(const std::vector<int32_t>& prefix, RequestId id = 9000) {
    UniqueFd file = memory_file();
    engine_->save_state(save_task(id, prefix, copy_of(file)));
    run();
    EXPECT_TRUE(outcomes[id].saved.has_value());
    return file;
  }

  // Steps until the generation has emitted `tokens` tokens.
  void run_until(RequestId id, size_t tokens) {
    while (outcomes[id].tokens.size() < tokens && engine_->step()) continue;
  }

  std::map<RequestId, Outcome> outcomes;
  std::vector<std::string> events;  // "restore 1", "start 1", "prefill 1", "token 1", ...
  std::vector<PrefixOffered> offers;
  std::vector<EngineFigures> figures;
  std::map<RequestId, size_t> stop_after;  // the sink says stop at this many tokens
  bool keep_logits = true;

 private:
  void note(const char* what, RequestId id) { events.push_back(std::string(what) + " " + std::to_string(id)); }

  bool take(const EngineEvent& event) {
    return std::visit([this](const auto& said) { return on(said); }, event);
  }
  bool on(const RestoreBegins& said) { return note("restore", said.id), true; }
  bool on(const GenerationStarted& said) {
    outcomes[said.id].cache = said.cache;
    outcomes[said.id].prefill_done = said.cache.tokens;
    return note("start", said.id), true;
  }
  bool on(const PrefixOffered& said) { return offers.push_back(said), true; }
  bool on(const FiguresChanged& said) { return figures.push_back(said.figures), true; }
  bool on(const PrefillProgress& said) {
    Outcome& outcome = outcomes[said.id];
    outcome.prefilled += said.done_tokens - std::exchange(outcome.prefill_done, said.done_tokens);
    return note("prefill", said.id), true;
  }
  bool on(const TokenGenerated& said) {
    Outcome& outcome = outcomes[said.id];
    outcome.tokens.push_back(said.token);
    outcome.text += said.piece;
    note("token", said.id);
    const auto stop = stop_after.find(said.id);
    return stop == stop_after.end() || outcome.tokens.size() < stop->second;
  }
  bool on(const GenerationFinished& said) {
    outcomes[said.id].finished = said.reason;
    outcomes[said.id].usage = said.usage;
    return note("finish", said.id), true;
  }
  bool on(const TaskFailed& said) {
    outcomes[said.id].error = said.error;
    return note("fail", said.id), true;
  }
  bool on(const StateWritten& said) {
    outcomes[said.id].saved = said.state;
    return note("saved", said.id), true;
  }

  bool on(const EmbeddingsMade& said) {
    outcomes[said.id].embedded = said.embeddings;
    return note("embedded", said.id), true;
  }

  ModelSpec spec_;
  std::unique_ptr<Engine> engine_;
};

// The largest difference of two generations' logits over the steps in which they went the same way.
inline double largest_difference(const LlamaEngineRun::Outcome& a, const LlamaEngineRun::Outcome& b) {
  double largest = 0;
  for (size_t step = 0; step < std::min(a.logits.size(), b.logits.size()); ++step) {
    for (size_t i = 0; i < a.logits[step].size(); ++i) {
      largest = std::max(largest, std::fabs(double{a.logits[step][i]} - double{b.logits[step][i]}));
    }
    if (step >= a.tokens.size() || step >= b.tokens.size() || a.tokens[step] != b.tokens[step]) break;
  }
  return largest;
}

}  // namespace rockllama
