// Every fault by its name.
#include "rkllm_sim/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/time.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/rkllm_sim_library.h"

namespace rkllm_sim {
namespace {

using rockllama::RkllmSimLibrary;
using rockllama::SimRun;
using testing::HasSubstr;
using testing::KilledBySignal;

// The process ends by SIGALRM if it still runs after this time.
void end_in(timeval time) {
  const itimerval timer{{}, time};
  ::setitimer(ITIMER_REAL, &timer, nullptr);
}
void end_soon() { end_in({0, 200000}); }
void end_at_last() { end_in({120, 0}); }

class RkllmSimFaults : public testing::Test {
 protected:
  std::string folder_ = testing::TempDir() + "/rkllm_sim_faults_" + std::to_string(::getpid());
  std::string file_ = folder_ + "/faults";
  std::string cache_ = folder_ + "/cache";

  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    std::filesystem::create_directory(folder_);
    ::setenv("ROCKLLAMA_SIM_FAULTS", file_.c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("ROCKLLAMA_SIM_FAULTS");
    std::filesystem::remove_all(folder_);
  }

  void plant(const std::string& text) const { std::ofstream(file_) << text << "\n"; }
  [[nodiscard]] std::string planted() const {
    std::ifstream in(file_);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  // Does the call that a fault is planted for; the process may end in it.
  void reach(const std::string& call, const std::string& fault) const {
    RkllmSimLibrary library("1.2.1");
    const bool hangs = fault.starts_with("hang");
    if (call == "init") {
      plant(fault);
      hangs ? end_soon() : end_at_last();
    }
    if (library.init() != 0) return;
    if (call == "load") (void)library.run({.text = "Hello", .save = cache_});
    plant(fault);
    hangs ? end_soon() : end_at_last();
    if (call == "run") (void)library.run({.text = "Hello"});
    if (call == "save") (void)library.run({.text = "Hello", .save = cache_});
    if (call == "load") library.call("rkllm_load_prompt_cache", library.handle(), cache_.c_str());
    if (call == "abort") library.call("rkllm_abort", library.handle());
    // The end of the library's life destroys the handle.
  }
};

// Such a test starts its program again, which no emulator does.
using RkllmSimFaultsDeathTest = RkllmSimFaults;

TEST_F(RkllmSimFaultsDeathTest, CrashesInTheCallThatIsNamed) {
  for (const std::string call : {"init", "run", "save", "load", "abort", "destroy"}) {
    EXPECT_EXIT(reach(call, "segfault " + call), KilledBySignal(SIGSEGV), "") << call;
  }
}

TEST_F(RkllmSimFaultsDeathTest, HangsInTheCallThatIsNamed) {
  for (const std::string call : {"init", "run", "save", "load", "abort", "destroy"}) {
    EXPECT_EXIT(reach(call, "hang " + call), KilledBySignal(SIGALRM), "") << call;
  }
}

TEST_F(RkllmSimFaults, AreReadAgainAtEachCall) {
  RkllmSimLibrary library("1.2.0");
  ASSERT_EQ(library.init(), 0);
  EXPECT_EQ(library.run({.text = "Hello"}).text.find('\xff'), std::string::npos);
  plant("garbage_text");
  EXPECT_NE(library.run({.text = "Hello"}).text.find('\xff'), std::string::npos);
  plant("");
  EXPECT_EQ(library.run({.text = "Hello"}).text.find('\xff'), std::string::npos);
}

TEST_F(RkllmSimFaults, OnceTakesItsLineOut) {
  plant("once null_handle\ngarbage_text");
  RkllmSimLibrary library("1.2.1");
  EXPECT_EQ(library.init(), 0);
  EXPECT_EQ(library.handle(), nullptr);
  EXPECT_EQ(planted(), "garbage_text\n");
  EXPECT_EQ(library.init(), 0);
  EXPECT_NE(library.handle(), nullptr);
}

TEST_F(RkllmSimFaults, SecondInitIsOutOfMemoryWhileTheFirstLives) {
  plant("second_init_out_of_memory");
  auto first = std::make_unique<RkllmSimLibrary>("1.2.1");
  ASSERT_EQ(first->init(), 0);
  RkllmSimLibrary second("1.2.0");
  testing::internal::CaptureStderr();
  EXPECT_EQ(second.init(), -1);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("failed to malloc npu memory"));
  first.reset();
  EXPECT_EQ(second.init(), 0);
}

TEST_F(RkllmSimFaults, TooFewFilesFailInit) {
  plant("too_many_open_files 100000000");
  testing::internal::CaptureStderr();
  EXPECT_EQ(RkllmSimLibrary("1.2.1").init(), -1);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("Too many open files"));
}

TEST_F(RkllmSimFaults, AnArchitectureThatCannotSaveLeavesNoFile) {
  RkllmSimLibrary library("1.3.0");
  ASSERT_EQ(library.init(), 0);
  plant("cannot_save");
  EXPECT_EQ(library.run({.text = "Hello", .save = cache_}).result, 0);
  EXPECT_FALSE(std::filesystem::exists(cache_));
}

TEST_F(RkllmSimFaultsDeathTest, ATruncatedFileIsSavedWithoutAWordAndCrashesTheLoad) {
  RkllmSimLibrary library("1.2.1");
  ASSERT_EQ(library.init(), 0);
  plant("truncated_save");
  EXPECT_EQ(library.run({.text = "Hello", .save = cache_}).result, 0);
  EXPECT_GT(std::filesystem::file_size(cache_), 300U);
  plant("");
  const auto load = [this] {
    RkllmSimLibrary other("1.2.1");
    if (other.init() == 0) other.call("rkllm_load_prompt_cache", other.handle(), cache_.c_str());
  };
  EXPECT_EXIT(load(), KilledBySignal(SIGSEGV), "");
}

TEST_F(RkllmSimFaults, AFullDiskFailsTheRunAndLeavesPartOfTheFile) {
  RkllmSimLibrary library("1.2.1");
  ASSERT_EQ(library.init(), 0);
  plant("disk_full");
  EXPECT_EQ(library.run({.text = "Hello", .save = cache_}).result, -1);
  EXPECT_EQ(std::filesystem::file_size(cache_), 4096U);
}

TEST_F(RkllmSimFaultsDeathTest, AnAsynchronousRunMayNeverFinish) {
  const auto wait = [this] {
    RkllmSimLibrary library("1.2.1");
    if (library.init() != 0) return;
    plant("async_never_finishes");
    rockllama::AbiStruct input = library.make("RKLLMInput");
    input.set("prompt_input", "Hello");
    rockllama::AbiStruct infer = library.make("RKLLMInferParam");
    if (library.call("rkllm_run_async", library.handle(), input.data(), infer.data(), static_cast<void*>(&library)) !=
        0)
      return;
    if (library.call("rkllm_is_running", library.handle()) != 1) return;
    end_soon();
    library.call("rkllm_destroy", library.handle());  // waits for the run
  };
  EXPECT_EXIT(wait(), KilledBySignal(SIGALRM), "");
}

TEST_F(RkllmSimFaultsDeathTest, ThePlaceOfACrashInARunIsATokenOfTheAnswer) {
  const auto crash_at_third = [this] {
    RkllmSimLibrary library("1.2.1");
    if (library.init() != 0) return;
    plant("segfault run\nrun_token 3");
    int callbacks = 0;
    library.on_callback = [&callbacks] {
      if (++callbacks == 3) std::_Exit(1);
      return 0;
    };
    (void)library.run({.text = "Hello"});
  };
  EXPECT_EXIT(crash_at_third(), KilledBySignal(SIGSEGV), "");
}

TEST_F(RkllmSimFaultsDeathTest, ALongAnswerMayAbortAtTheEndOfTheContext) {
  const auto overrun = [this] {
    RkllmSimLibrary library("1.2.1");
    if (library.init({.max_new_tokens = 100, .context = 256}) != 0) return;
    plant("abort_past_context");
    (void)library.run({.tokens = std::vector<int32_t>(250, 40)});
  };
  EXPECT_EXIT(overrun(), KilledBySignal(SIGABRT), "GGML_ASSERT");
}

TEST_F(RkllmSimFaults, TheBannerMayLie) {
  plant("version 9.9.9");
  testing::internal::CaptureStderr();
  EXPECT_EQ(RkllmSimLibrary("1.2.1").init(), 0);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("rkllm-runtime version: 9.9.9, "));
}

TEST_F(RkllmSimFaults, TheModelsLimitCanBeAnother) {
  plant("context_limit 128");
  EXPECT_EQ(RkllmSimLibrary("1.2.1").init({.context = 256}), -1);
  EXPECT_EQ(RkllmSimLibrary("1.2.1").init({.context = 128}), 0);
}

TEST_F(RkllmSimFaults, SpecialTokensInTextAreParsedOrNot) {
  RkllmSimLibrary library("1.2.1");
  ASSERT_EQ(library.init(), 0);
  library.call("rkllm_set_chat_template", library.handle(), "", "", "");
  plant("special_tokens on");
  EXPECT_EQ(library.run({.text = "<|im_start|>"}).prefill_tokens, 1);
  plant("special_tokens off");
  EXPECT_GT(library.run({.text = "<|im_start|>"}).prefill_tokens, 3);
}

TEST_F(RkllmSimFaults, IsRunningMayMeanTheOtherThing) {
  RkllmSimLibrary library("1.2.1");
  ASSERT_EQ(library.init(), 0);
  EXPECT_EQ(library.call("rkllm_is_running", library.handle()), 0);
  plant("running_is_zero");
  EXPECT_EQ(library.call("rkllm_is_running", library.handle()), 1);
}

TEST(RkllmSimFaultsFile, KnowsNamesValuesAndComments) {
  const Faults faults = Faults::parse("# segfault run\nhang save\nrun_token 7\n");
  EXPECT_FALSE(faults.has("segfault run"));
  EXPECT_TRUE(faults.has("hang save"));
  EXPECT_EQ(faults.number("run_token", 0), 7);
  EXPECT_EQ(faults.number("context_limit", 5), 5);
  EXPECT_EQ(faults.value("hang"), "save");
}

}  // namespace
}  // namespace rkllm_sim
