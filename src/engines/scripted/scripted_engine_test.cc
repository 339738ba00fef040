#include "engines/scripted/scripted_engine.h"

#include <gmock/gmock.h>
#include <sys/mman.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/clock.h"

namespace rockllama {
namespace {

using ::testing::ElementsAre;
using ::testing::KilledBySignal;

class ScriptedEngineTest : public ::testing::Test {
 protected:
  ScriptedEngineTest() { std::filesystem::create_directories(folder_); }
  ~ScriptedEngineTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Engine> engine(const std::string& script, uint32_t parallel = 4) {
    std::ofstream(folder_ + "/script") << script;
    const ModelSpec spec{
        .name = "m", .engine = EngineKind::kScripted, .file = folder_ + "/script", .parallel = parallel};
    auto made = make_scripted_engine(
        spec, vocabulary_,
        {[this](const EngineEvent& event) { return note(event); }, [this] { log_.push_back("garbage"); }});
    return made ? std::move(*made) : nullptr;
  }

  GenerationTask task(RequestId id, const std::string& prompt = "Hello there", uint32_t max_tokens = 100) {
    GenerationTask task{.id = id, .tokens = vocabulary_.tokenize_text(prompt).value()};
    task.cuts = {1, static_cast<uint32_t>(task.tokens.size())};
    task.max_tokens = max_tokens;
    task.credit = 1000;
    return task;
  }

  bool note(const EngineEvent& event) {
    if (const auto* token = std::get_if<TokenGenerated>(&event)) {
      text_[token->id] += token->piece;
      log_.push_back("token " + std::to_string(token->id));
      return !stop_at_first_token_;
    }
    if (const auto* started = std::get_if<GenerationStarted>(&event)) use_ = started->cache;
    if (const auto* finished = std::get_if<GenerationFinished>(&event)) finished_ = *finished;
    if (const auto* failed = std::get_if<TaskFailed>(&event)) failed_ = *failed;
    if (const auto* saved = std::get_if<StateWritten>(&event)) saved_ = saved->state;
    return true;
  }

  static void run(Engine* engine) {
    while (engine->step()) continue;
  }

  UniqueFd saved_state(Engine* engine, const std::vector<int32_t>& tokens) {
    UniqueFd file(::memfd_create("state", MFD_CLOEXEC));
    engine->save_state({9, tokens, {static_cast<uint32_t>(tokens.size())}, UniqueFd(::dup(file.get()))});
    run(engine);
    return file;
  }

  std::string folder_ = ::testing::TempDir() + "scripted" + std::to_string(::getpid());
  Vocabulary vocabulary_ = Vocabulary::load(std::string(ROCKLLAMA_VOCABULARIES) + "/ggml-vocab-gpt-2.gguf").value();
  std::map<RequestId, std::string> text_;
  std::vector<std::string> log_;
  bool stop_at_first_token_ = false;
  CacheUse use_;
  GenerationFinished finished_;
  TaskFailed failed_;
  SavedState saved_;
};

TEST_F(ScriptedEngineTest, SaysTheTimeOfEachToken) {
  const auto model = engine("clock\nanswer One two");
  model->start(task(1));
  const double before_us = steady_ms() * 1000;
  run(model.get());
  std::istringstream said(text_[1]);
  double first_us = 0, second_us = 0;
  ASSERT_TRUE(said >> first_us >> second_us);
  EXPECT_GE(first_us, before_us - 1);
  EXPECT_GE(second_us, first_us);
  EXPECT_LE(second_us, steady_ms() * 1000 + 1);
}

TEST_F(ScriptedEngineTest, SaysTheAnswer) {
  const auto model = engine("answer One two.\nrepeat 2");
  model->start(task(1));
  run(model.get());
  EXPECT_EQ(text_[1], "One two.One two.");
  EXPECT_EQ(finished_.reason, FinishReason::kStop);
  EXPECT_EQ(finished_.usage.completion_tokens, 6u);
  EXPECT_EQ(finished_.usage.prompt_tokens, 2u);
}

TEST_F(ScriptedEngineTest, AnswersToAWordOfThePrompt) {
  const auto model = engine("answer One\nanswer_if_prompt_contains sun Two\nanswer_if_prompt_contains s Three");
  model->start(task(1, "Hello there"));
  model->start(task(2, "Hello sunny"));
  model->start(task(3, "Yes"));
  run(model.get());
  EXPECT_EQ(text_[1], "One");
  EXPECT_EQ(text_[2], "Two");
  EXPECT_EQ(text_[3], "Three");
}

TEST_F(ScriptedEngineTest, EchoesThePrompt) {
  const auto model = engine("echo");
  model->start(task(1, "Hello there"));
  run(model.get());
  EXPECT_EQ(text_[1], "Hello there");
}

TEST_F(ScriptedEngineTest, EndsAtMaxTokensAndWhenTheSinkSaysSo) {
  const auto model = engine("answer One two three four");
  model->start(task(1, "x", 2));
  run(model.get());
  EXPECT_EQ(text_[1], "One two");
  EXPECT_EQ(finished_.reason, FinishReason::kLength);
  stop_at_first_token_ = true;
  model->start(task(2));
  run(model.get());
  EXPECT_EQ(text_[2], "One");
  EXPECT_EQ(finished_.reason, FinishReason::kStop);
}

TEST_F(ScriptedEngineTest, RunsAsManyGenerationsAtOnceAsItMay) {
  const auto model = engine("answer One two", 2);
  for (RequestId id = 1; id <= 3; ++id) model->start(task(id));
  run(model.get());
  EXPECT_EQ(text_[3], "One two");
  EXPECT_THAT(std::vector(log_.begin() + 1, log_.begin() + 3), ElementsAre("token 1", "token 2"));
  EXPECT_EQ(log_.back(), "token 3");
}

TEST_F(ScriptedEngineTest, WaitsForCredit) {
  const auto model = engine("answer One two three");
  GenerationTask poor = task(1);
  poor.credit = 1;
  model->start(std::move(poor));
  run(model.get());
  EXPECT_EQ(text_[1], "One");
  model->add_credit(1, 5);
  run(model.get());
  EXPECT_EQ(text_[1], "One two three");
}

TEST_F(ScriptedEngineTest, FailsWhatIsCancelled) {
  const auto model = engine("answer One two three");
  model->start(task(1));
  model->step();
  model->cancel(1);
  model->cancel(77);
  run(model.get());
  EXPECT_EQ(failed_.id, 1u);
  EXPECT_EQ(failed_.error.code, ErrorCode::kCancelled);
}

TEST_F(ScriptedEngineTest, RestoresTheStateThatItSaved) {
  const auto model = engine("answer Yes");
  GenerationTask again = task(1, "Once upon a time there was");
  const std::vector<int32_t> prefix(again.tokens.begin(), again.tokens.begin() + 3);
  UniqueFd file = saved_state(model.get(), prefix);
  EXPECT_EQ(saved_.tokens, 3u);
  again.cache_name = "tale";
  again.cuts = {3, static_cast<uint32_t>(again.tokens.size())};
  again.prefix = PrefixState{{"tale/raw/1", 3, hash_tokens(prefix)}, 3, std::move(file)};
  model->start(std::move(again));
  run(model.get());
  EXPECT_EQ(use_.tier, CacheTier::kDisk);
  EXPECT_EQ(use_.tokens, 3u);
  EXPECT_EQ(text_[1], "Yes");
}

TEST_F(ScriptedEngineTest, AnswersFromTheTextWhenTheStateIsOfOtherTokens) {
  const auto model = engine("answer Yes");
  UniqueFd file = saved_state(model.get(), {1, 2});
  GenerationTask other = task(1, "Once upon a time");
  other.cache_name = "tale";
  other.cuts = {2, static_cast<uint32_t>(other.tokens.size())};
  other.prefix = PrefixState{{"tale/raw/1", 2, hash_tokens(std::vector<int32_t>{1, 2})}, 2, std::move(file)};
  model->start(std::move(other));
  run(model.get());
  EXPECT_EQ(use_.tier, CacheTier::kText);
  EXPECT_EQ(use_.tokens, 0u);
  EXPECT_EQ(use_.reason, "the state file holds something else");
  EXPECT_EQ(text_[1], "Yes");
}

TEST_F(ScriptedEngineTest, CanRefuseToSave) {
  const auto model = engine("refuse_save");
  saved_state(model.get(), {1, 2});
  EXPECT_EQ(failed_.error.code, ErrorCode::kUnsupported);
}

TEST_F(ScriptedEngineTest, SendsGarbageOnTheTokenThatTheScriptNames) {
  const auto model = engine("answer One two three\ngarbage_frame_on_token 2");
  model->start(task(1));
  run(model.get());
  EXPECT_THAT(log_, ElementsAre("token 1", "garbage", "token 1", "token 1"));
}

TEST_F(ScriptedEngineTest, RefusesAScriptThatMeansNothing) { EXPECT_EQ(engine("dance"), nullptr); }

TEST_F(ScriptedEngineTest, CrashesWhereTheScriptSays) {
  for (const char* script : {"crash_on_token 2", "crash_if_prompt_contains there"}) {
    const auto model = engine(script);
    model->start(task(1));
    EXPECT_EXIT(run(model.get()), KilledBySignal(SIGSEGV), "") << script;
  }
  const auto model = engine("abort_on_start");
  model->start(task(1));
  EXPECT_EXIT(run(model.get()), KilledBySignal(SIGABRT), "");
}

TEST_F(ScriptedEngineTest, CrashesOnlyOnceWhereAFileRemembersIt) {
  const std::string mark = folder_ + "/mark";
  const auto model = engine("answer Yes\nonce " + mark + " crash_on_token 1");
  model->start(task(1));
  EXPECT_EXIT(run(model.get()), KilledBySignal(SIGSEGV), "");
  EXPECT_TRUE(std::filesystem::exists(mark));
  run(model.get());
  EXPECT_EQ(text_[1], "Yes");
}

}  // namespace
}  // namespace rockllama
