// Drives the engine over the stand-in runtimes of rkllm_sim, with a small model.
#include "engines/rkllm/rkllm_engine.h"

#include <gmock/gmock.h>
#include <sys/mman.h>

#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engines/rkllm/byte_tokens.h"
#include "tests/support/rkllm_sim_files.h"
#include "tests/support/tiny_model.h"
#include "tokenizer/vocabulary.h"

namespace rockllama::rkllm {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t kPlenty = 1000;

std::string engine_model_file() {
  static const std::string file = [] {
    std::string path = ::testing::TempDir() + "tiny-engine.rkllm";
    if (!write_tiny_model(TinyShape::kPlain, std::getenv("ROCKLLAMA_TEST_MODEL"), path)) {
      throw std::runtime_error("ROCKLLAMA_TEST_MODEL must name the demo model; script/test sets it");
    }
    return path;
  }();
  return file;
}

const Vocabulary& vocabulary() {
  static const Vocabulary loaded = Vocabulary::load(engine_model_file()).value();
  return loaded;
}

std::vector<int32_t> rules(size_t count) {
  std::string text;
  for (int i = 0; text.size() < count * 6 + 100; ++i) text += "Rule " + std::to_string(i) + ": answer in plain words. ";
  std::vector<int32_t> tokens = vocabulary().tokenize_text(text).value();
  tokens.resize(count);
  return tokens;
}

struct Outcome {
  std::string text{};
  uint32_t said = 0;
  bool failed = false;
  Error error{};
  std::optional<GenerationFinished> finished{};
  std::optional<GenerationStarted> started{};
  std::optional<SavedState> saved{};
  std::optional<Embeddings> embedded{};
  bool restored = false;
};

class RkllmEngineTest : public ::testing::TestWithParam<const char*> {
 protected:
  // `mode`: of the prompts.
  void load(const std::string& mode = "tokens", const RkllmSettings& settings = {}) {
    ModelSpec spec{.name = "m", .engine = EngineKind::kRkllm, .file = engine_model_file(), .context_tokens = 1024};
    spec.sampling_defaults.temperature = 0.0F;
    spec.rkllm = settings;
    spec.rkllm.library = sim_library(GetParam());
    spec.rkllm.prompt_mode = mode;
    engine_.reset();
    auto model = load_rkllm_model(spec, {.has_tokenizer = mode == "tokens", .has_template = true});
    ASSERT_TRUE(model) << model.error().message;
    auto engine = make_rkllm_engine(spec, std::move(*model), [this](const EngineEvent& event) { return take(event); });
    ASSERT_TRUE(engine) << engine.error().message;
    engine_ = std::move(*engine);
  }

  bool take(const EngineEvent& event) {
    if (const auto* token = std::get_if<TokenGenerated>(&event)) {
      outcome_.text += token->piece;
      ++outcome_.said;
      if (on_token_) return on_token_();
    } else if (const auto* failed = std::get_if<TaskFailed>(&event)) {
      outcome_.failed = true;
      outcome_.error = failed->error;
    } else if (const auto* finished = std::get_if<GenerationFinished>(&event)) {
      outcome_.finished = *finished;
    } else if (const auto* started = std::get_if<GenerationStarted>(&event)) {
      outcome_.started = *started;
    } else if (const auto* written = std::get_if<StateWritten>(&event)) {
      outcome_.saved = written->state;
    } else if (const auto* made = std::get_if<EmbeddingsMade>(&event)) {
      outcome_.embedded = made->embeddings;
    } else if (std::holds_alternative<RestoreBegins>(event)) {
      outcome_.restored = true;
    }
    return true;
  }

  [[nodiscard]] bool ended() const {
    return outcome_.failed || outcome_.finished || outcome_.saved || outcome_.embedded;
  }

  Outcome work() {
    while (!ended() && engine_->step()) {
    }
    while (engine_->step()) {
    }
    return std::exchange(outcome_, {});
  }

  Outcome generate(GenerationTask task) {
    task.id = ++id_;
    if (task.cuts.empty()) task.cuts = {static_cast<uint32_t>(task.tokens.size())};
    engine_->start(std::move(task));
    return work();
  }
  Outcome generate(std::vector<int32_t> tokens, uint32_t max_tokens) {
    return generate({.tokens = std::move(tokens), .max_tokens = max_tokens, .credit = kPlenty});
  }

  Outcome embed(std::vector<std::vector<int32_t>> inputs) {
    engine_->embed({++id_, std::move(inputs)});
    return work();
  }

  Outcome save(const std::vector<int32_t>& tokens, const UniqueFd& file) {
    engine_->save_state({++id_, tokens, {static_cast<uint32_t>(tokens.size())}, UniqueFd(::dup(file.get()))});
    return work();
  }

  GenerationTask task_over(const SavedState& saved, const UniqueFd& file, std::vector<int32_t> tokens) {
    GenerationTask task{.tokens = std::move(tokens), .cache_name = "rules", .max_tokens = 4, .credit = kPlenty};
    task.prefix = PrefixState{{"rules/chat/1", saved.tokens, saved.token_hash, saved.counted_tokens},
                              saved.tokens,
                              UniqueFd(::dup(file.get()))};
    return task;
  }

  [[nodiscard]] static bool counts() { return std::string_view(GetParam()) >= "1.2.1"; }
  static UniqueFd memory_file() { return UniqueFd(::memfd_create("state", MFD_CLOEXEC)); }

  std::unique_ptr<Engine> engine_;
  Outcome outcome_;
  std::function<bool()> on_token_;
  RequestId id_ = 0;
};

TEST_P(RkllmEngineTest, AnswersAndKeepsToMaxTokens) {
  load();
  const Outcome first = generate(rules(40), 5);
  ASSERT_TRUE(first.finished) << first.error.message;
  EXPECT_EQ(first.finished->reason, FinishReason::kLength);
  EXPECT_EQ(first.said, 5u);
  EXPECT_EQ(first.finished->usage.completion_tokens, 5u);
  EXPECT_EQ(first.finished->usage.prompt_tokens, 40u);
  EXPECT_EQ(generate(rules(40), 5).text, first.text);
}

TEST_P(RkllmEngineTest, EndsWhereTheSinkSaysSo) {
  load();
  on_token_ = [this] { return outcome_.said < 3; };
  const Outcome outcome = generate(rules(40), 200);
  ASSERT_TRUE(outcome.finished);
  EXPECT_EQ(outcome.finished->reason, FinishReason::kStop);
  EXPECT_EQ(outcome.said, 3u);
}

TEST_P(RkllmEngineTest, WaitsForCreditAndGoesOnWithIt) {
  load();
  engine_->start({.id = 7, .tokens = rules(30), .cuts = {30}, .max_tokens = 6, .credit = 2});
  for (int i = 0; i < 20 || outcome_.said < 2; ++i) ASSERT_TRUE(engine_->step());
  EXPECT_EQ(outcome_.said, 2u);
  engine_->add_credit(7, 10);
  EXPECT_EQ(work().said, 6u);
}

TEST_P(RkllmEngineTest, ACancelEndsWhatRunsAndWhatWaits) {
  load();
  const std::string answer = generate(rules(40), 5).text;
  on_token_ = [this] {
    engine_->cancel(50);
    engine_->cancel(51);
    return true;
  };
  engine_->start({.id = 50, .tokens = rules(40), .cuts = {40}, .max_tokens = 500, .credit = kPlenty});
  engine_->start({.id = 51, .tokens = rules(40), .cuts = {40}, .max_tokens = 500, .credit = kPlenty});
  const Outcome outcome = work();
  EXPECT_EQ(outcome.error.code, ErrorCode::kCancelled);
  EXPECT_FALSE(outcome.finished);
  EXPECT_LT(outcome.said, 10u);
  on_token_ = nullptr;
  EXPECT_EQ(generate(rules(40), 5).text, answer);
}

TEST_P(RkllmEngineTest, ACancelInPrefillEndsTheRequest) {
  load();
  engine_->start({.id = 60, .tokens = rules(800), .cuts = {800}, .max_tokens = 500, .credit = kPlenty});
  ASSERT_TRUE(engine_->step());
  std::thread([this] { engine_->cancel(60); }).join();
  EXPECT_EQ(work().error.code, ErrorCode::kCancelled);
  EXPECT_TRUE(generate(rules(40), 2).finished);
}

TEST_P(RkllmEngineTest, AnAnswerOverAStateIsTheSameAndAHitOnlyWhereTheCountShowsIt) {
  load();
  const UniqueFd file = memory_file();
  const Outcome made = save(rules(300), file);
  ASSERT_TRUE(made.saved) << made.error.message;
  EXPECT_EQ(made.saved->tokens, 300u);
  EXPECT_EQ(static_cast<uint64_t>(::lseek(file.get(), 0, SEEK_END)), made.saved->bytes);
  const std::string cold = generate(rules(320), 4).text;
  for (int again = 0; again < 2; ++again) {
    const Outcome warm = generate(task_over(*made.saved, file, rules(320)));
    ASSERT_TRUE(warm.finished) << warm.error.message;
    EXPECT_TRUE(warm.restored);
    EXPECT_TRUE(warm.started->cache.provisional);
    EXPECT_EQ(warm.text, cold);
    EXPECT_EQ(reused(*warm.finished->cache), counts());
    EXPECT_EQ(warm.finished->cache->tokens, counts() ? 300u : 0u);
    EXPECT_EQ(warm.finished->cache->reason, counts() ? "" : "unverified: this runtime reports no prefill count");
  }
  EXPECT_EQ(generate(rules(320), 4).text, cold);
}

TEST_P(RkllmEngineTest, AStateOfATextIsAHitToo) {
  load("native");
  const std::string system = "You are a helpful guide. " + std::string("Answer in plain words and name the source. ") +
                             "Never guess. Say what you know, and what you do not know. Be short and be kind. ";
  const std::vector<int32_t> prefix = bytes_as_tokens(system + system + system);
  const UniqueFd file = memory_file();
  const Outcome made = save(prefix, file);
  ASSERT_TRUE(made.saved) << made.error.message;
  ASSERT_TRUE(made.saved->counted_tokens);
  EXPECT_EQ(*made.saved->counted_tokens > 0, counts());
  const Outcome warm = generate(task_over(*made.saved, file, bytes_as_tokens(system + system + system + "Hello.")));
  ASSERT_TRUE(warm.finished) << warm.error.message;
  EXPECT_EQ(reused(*warm.finished->cache), counts());
  EXPECT_EQ(warm.finished->usage.prompt_tokens > 0, counts());
}

TEST_P(RkllmEngineTest, EmbedsEachInputWhateverRanBefore) {
  load();
  const Outcome alone = embed({rules(30)});
  ASSERT_TRUE(alone.embedded) << alone.error.message;
  EXPECT_EQ(alone.embedded->prompt_tokens, 30u);
  ASSERT_TRUE(generate(rules(40), 3).finished);
  const Outcome several = embed({rules(12), rules(30)});
  ASSERT_TRUE(several.embedded) << several.error.message;
  EXPECT_EQ(several.embedded->prompt_tokens, 42u);
  ASSERT_EQ(several.embedded->vectors.size(), 2u);
  EXPECT_EQ(several.embedded->vectors.back(), alone.embedded->vectors.front());
  EXPECT_NE(several.embedded->vectors.front(), alone.embedded->vectors.front());
}

TEST_P(RkllmEngineTest, EmbedsATextWithoutATokenizer) {
  load("rendered");
  const Outcome outcome = embed({bytes_as_tokens("Answer in plain words.")});
  ASSERT_TRUE(outcome.embedded) << outcome.error.message;
  EXPECT_GT(outcome.embedded->prompt_tokens, 0u);
  EXPECT_FALSE(outcome.embedded->vectors.front().empty());
}

TEST_P(RkllmEngineTest, ACancelEndsEmbeddings) {
  load();
  engine_->embed({70, std::vector<std::vector<int32_t>>(50, rules(200))});
  ASSERT_TRUE(engine_->step());
  engine_->cancel(70);
  EXPECT_EQ(work().error.code, ErrorCode::kCancelled);
  EXPECT_TRUE(embed({rules(9)}).embedded);
}

TEST_P(RkllmEngineTest, AnswersThroughALoraAdapterAtItsScale) {
  RkllmSettings settings{.lora_file = ::testing::TempDir() + "tiny-adapter.rkllm"};
  ASSERT_TRUE(write_tiny_adapter(settings.lora_file));
  load();
  const std::string plain = generate(rules(40), 8).text;
  const std::string plain_fingerprint = engine_->model().engine_fingerprint;
  settings.lora_scale = 0;
  load("tokens", settings);
  EXPECT_EQ(generate(rules(40), 8).text, plain);
  const std::string fingerprint_at_zero = engine_->model().engine_fingerprint;
  EXPECT_NE(fingerprint_at_zero, plain_fingerprint);
  settings.lora_scale = 20;
  load("tokens", settings);
  EXPECT_NE(generate(rules(40), 8).text, plain);
  EXPECT_NE(engine_->model().engine_fingerprint, fingerprint_at_zero);
}

TEST_P(RkllmEngineTest, DoesNotLoadWithAnAdapterThatIsNone) {
  ModelSpec spec{.name = "m", .engine = EngineKind::kRkllm, .file = engine_model_file(), .context_tokens = 1024};
  spec.rkllm.library = sim_library(GetParam());
  spec.rkllm.lora_file = engine_model_file();
  const auto model = load_rkllm_model(spec, {.has_tokenizer = true});
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().message, HasSubstr("lora"));
}

TEST_P(RkllmEngineTest, SaysWhatOfARequestsSamplingHasNoEffect) {
  load();
  const LoadedModel& model = engine_->model();
  const bool per_run = std::string_view(GetParam()) == "1.3.0";
  EXPECT_EQ(model.capabilities.per_request_sampling, per_run);
  EXPECT_EQ(model.ignored_sampling.size(), per_run ? 3u : sampling_field_names().size());
  EXPECT_THAT(model.engine_fingerprint, HasSubstr(GetParam()));
}

// Without counts and without a way to clear, with counts, with sampling per run; tests/e2e takes all versions.
INSTANTIATE_TEST_SUITE_P(Sims, RkllmEngineTest, ::testing::Values("1.1.4", "1.2.1", "1.3.0"));

}  // namespace
}  // namespace rockllama::rkllm
