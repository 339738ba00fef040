#include "engines/rkllm/log_tap.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace rockllama::rkllm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(LogTap, KeepsTheLastLinesOfStdoutAndStderr) {
  const auto tap = LogTap::start(2).value();
  std::fprintf(stderr, "one\n");
  std::printf("two\n");
  std::fprintf(stderr, "three\n");
  EXPECT_THAT(tap->lines(), ElementsAre("two", "three"));
}

TEST(LogTap, TellsOnlyWhatCameAfterAMark) {
  const auto tap = LogTap::start(10).value();
  std::fprintf(stderr, "before\n");
  const uint64_t mark = tap->mark();
  EXPECT_THAT(tap->lines(mark), IsEmpty());
  std::fprintf(stderr, "after\nunfinished");
  EXPECT_THAT(tap->lines(mark), ElementsAre("after", "unfinished"));
}

TEST(LogTap, PassesEverythingOnToWhereItWentBefore) {
  testing::internal::CaptureStderr();
  {
    const auto tap = LogTap::start(1).value();
    std::fprintf(stderr, "first\nsecond\n");
    std::printf("third\n");
  }
  std::fprintf(stderr, "fourth\n");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "first\nsecond\nthird\nfourth\n");
}

TEST(LogTap, IsOneForAProcess) {
  const auto tap = LogTap::start(1).value();
  const auto second = LogTap::start(1);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
}

TEST(LogTapDeathTest, PassesOnTheLastWordsOfAProcessThatAborts) {
  const auto die = [] {
    const auto tap = LogTap::start(1).value();
    const char words[] = "GGML_ASSERT failed\n";
    static_cast<void>(::write(STDOUT_FILENO, words, sizeof(words) - 1));
    std::abort();
  };
  EXPECT_EXIT(die(), testing::KilledBySignal(SIGABRT), "GGML_ASSERT failed");
}

TEST(LogTapDeathTest, LeavesTheSignalOfASegfaultAsItWas) {
  const auto die = [] {
    // Sanitizers have a handler of their own.
    static_cast<void>(std::signal(SIGSEGV, SIG_DFL));
    const auto tap = LogTap::start(1).value();
    std::fprintf(stderr, "last words\n");
    std::raise(SIGSEGV);
  };
  EXPECT_EXIT(die(), testing::KilledBySignal(SIGSEGV), "last words");
}

}  // namespace
}  // namespace rockllama::rkllm
