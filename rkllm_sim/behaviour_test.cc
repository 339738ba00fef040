// What only some versions do, or have differently.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/rkllm_sim_library.h"

namespace rockllama {
namespace {

using testing::HasSubstr;
using testing::KilledBySignal;

constexpr char kText[] = "Name three rivers of Europe.";

int kv_size(const RkllmSimLibrary& library) {
  int size = -1;
  library.call("rkllm_get_kv_cache_size", library.handle(), &size);
  return size;
}

int clear(const RkllmSimLibrary& library, int keep_system, const int* start = nullptr, const int* end = nullptr) {
  return library.call("rkllm_clear_kv_cache", library.handle(), keep_system, start, end);
}

int set_template(const RkllmSimLibrary& library, const char* system, const char* prefix, const char* postfix) {
  return library.call("rkllm_set_chat_template", library.handle(), system, prefix, postfix);
}

TEST(RkllmSimBehaviour, KeepsItsHistoryOnlyIfAsked) {
  RkllmSimLibrary library("1.2.1");
  ASSERT_EQ(library.init(), 0);
  (void)library.run({.text = kText});
  EXPECT_EQ(kv_size(library), 0);
  (void)library.run({.text = kText, .keep_history = true});
  EXPECT_GT(kv_size(library), 10);
}

TEST(RkllmSimBehaviour, RunsOverWhatAnEarlierHistoryLeft) {
  RkllmSimLibrary library("1.2.1");
  ASSERT_EQ(library.init(), 0);
  int cells = 0;  // at the last callback before the end
  library.on_callback = [&] {
    cells = kv_size(library);
    return 0;
  };
  const auto cells_of_run = [&] {
    (void)library.run({.text = "Which one is the longest?"});
    return cells;
  };
  const int fresh = cells_of_run();
  (void)library.run({.text = kText, .keep_history = true});
  EXPECT_GT(cells_of_run(), fresh + 10);
  EXPECT_EQ(kv_size(library), 0);
  (void)library.run({.text = kText, .keep_history = true});
  EXPECT_EQ(clear(library, 0), 0);
  EXPECT_EQ(cells_of_run(), fresh);
}

TEST(RkllmSimBehaviour, ClearsTheCellsWhenTheTemplateIsSet) {
  RkllmSimLibrary library("1.2.3");
  ASSERT_EQ(library.init(), 0);
  (void)library.run({.text = kText, .keep_history = true});
  EXPECT_EQ(set_template(library, "", "", ""), 0);
  EXPECT_EQ(kv_size(library), 0);
}

TEST(RkllmSimBehaviour, KeepsTheSystemPromptWhereTheClearSaysSo) {
  RkllmSimLibrary library("1.3.0");
  ASSERT_EQ(library.init(), 0);
  (void)set_template(library, "You are a geographer.", "Q: ", " A: ");
  (void)library.run({.text = kText, .keep_history = true});
  EXPECT_EQ(clear(library, 1), 0);
  const int system = kv_size(library);
  EXPECT_GT(system, 3);
  EXPECT_LT(system, 10);
}

TEST(RkllmSimBehaviour, RefusesToolsWhereTheTemplateIsEmpty) {
  RkllmSimLibrary library("1.2.1");
  ASSERT_EQ(library.init(), 0);
  EXPECT_EQ(library.call("rkllm_set_function_tools", library.handle(), "", "[]", "tool"), 0);
  (void)set_template(library, "", "", "");
  EXPECT_EQ(library.call("rkllm_set_function_tools", library.handle(), "", "[]", "tool"), -1);
}

TEST(RkllmSimBehaviour, PausesAndGoesOnWithNewContent) {
  RkllmSimLibrary library("1.2.1");
  ASSERT_EQ(library.init(), 0);
  library.on_callback = [] { return 1; };
  const SimRun paused = library.run({.text = kText});
  EXPECT_EQ(paused.states, std::vector<uint32_t>{0});
  EXPECT_GT(kv_size(library), 0);
  const int begin = 2;
  const int end = 4;
  const int before = kv_size(library);
  EXPECT_EQ(clear(library, 0, &begin, &end), 0);
  EXPECT_EQ(kv_size(library), before - 2);
  library.on_callback = [] { return 0; };
  EXPECT_EQ(library.run({.tokens = {10, 20}}).states.back(), 2U);
  EXPECT_EQ(clear(library, 0, &begin, &end), -1);
}

TEST(RkllmSimBehaviour, TakesLengthAndSamplingPerRunFrom130On) {
  RkllmSimLibrary library("1.3.0");
  ASSERT_EQ(library.init({.max_new_tokens = 4}), 0);
  EXPECT_EQ(library.run({.text = kText}).tokens.size(), 4U);
  const SimRun greedy = library.run({.text = kText, .max_new_tokens = 9, .greedy = true});
  EXPECT_EQ(greedy.tokens.size(), 9U);
}

TEST(RkllmSimBehaviour, MovesTheWindowWhereTheContextEnds) {
  RkllmSimLibrary library("1.2.1");
  ASSERT_EQ(library.init({.max_new_tokens = 300, .context = 256}), 0);
  const SimRun run = library.run({.tokens = std::vector<int32_t>(250, 40)});
  EXPECT_EQ(run.result, 0);
  EXPECT_EQ(run.states.back(), 2U);
}

TEST(RkllmSimBehaviour, RefusesABatchOfZero) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(RkllmSimLibrary("1.2.1").init({.n_batch = 0}), -1);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("The n_batch must be between 1 and 100, but got 0"));
}

TEST(RkllmSimBehaviour, SaysTheModelsLimitAtInitFrom121On) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(RkllmSimLibrary("1.2.0").init(), 0);
  EXPECT_EQ(testing::internal::GetCapturedStderr().find("max_context_limit"), std::string::npos);
  testing::internal::CaptureStderr();
  EXPECT_EQ(RkllmSimLibrary("1.2.3").init(), 0);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("rkllm-toolkit version: 1.2.3, max_context_limit: 8192, npu_core_num: 3, target_platform:"));
}

TEST(RkllmSimBehaviour, RefusesTokensThatTheVocabularyLacks) {
  RkllmSimLibrary library("1.2.1");
  ASSERT_EQ(library.init(), 0);
  EXPECT_EQ(library.run({.tokens = {1, 99999999}}).result, -1);
  EXPECT_EQ(library.run({.tokens = {1, 2}}).result, 0);
}

TEST(RkllmSimBehaviour, RefusesAnAdapterThatIsNone) {
  RkllmSimLibrary library("1.2.1");
  ASSERT_EQ(library.init(), 0);
  AbiStruct adapter = library.make("RKLLMLoraAdapter");
  adapter.set("lora_adapter_path", "/nowhere.rkllm");
  adapter.set("lora_adapter_name", "poet");
  EXPECT_EQ(library.call("rkllm_load_lora", library.handle(), adapter.data()), -1);
}

TEST(RkllmSimBehaviourDeathTest, CrashesWithoutImageTagsOn12) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT((void)RkllmSimLibrary("1.2.0").init({.tags = false}), KilledBySignal(SIGSEGV), "");
  EXPECT_EQ(RkllmSimLibrary("1.1.4").init({.tags = false}), 0);
}

TEST(RkllmSimBehaviourDeathTest, AbortsWhereThePromptIsLongerThanTheContext) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto overrun = [] {
    RkllmSimLibrary library("1.2.3");
    if (library.init({.context = 256}) == 0) (void)library.run({.tokens = std::vector<int32_t>(300, 40)});
  };
  EXPECT_EXIT(overrun(), KilledBySignal(SIGABRT), "GGML_ASSERT");
}

}  // namespace
}  // namespace rockllama
