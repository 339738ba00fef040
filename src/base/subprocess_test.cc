#include "base/subprocess.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "base/unique_fd.h"

namespace rockllama {
namespace {

TEST(Subprocess, ReportsTheExitCode) {
  auto child = Subprocess::spawn({"/bin/sh", "-c", "exit 7"}, {});
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait(-1), (ExitStatus{7, 0}));
}

TEST(Subprocess, ReportsTheSignal) {
  auto child = Subprocess::spawn({"/bin/sh", "-c", "kill -SEGV $$"}, {});
  ASSERT_TRUE(child);
  const auto status = child->wait(-1);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->signal, SIGSEGV);
  EXPECT_EQ(to_string(*status), "signal 11 (Segmentation fault)");
}

TEST(Subprocess, FailsForAMissingProgram) { EXPECT_FALSE(Subprocess::spawn({"/nonexistent/program"}, {})); }

TEST(Subprocess, PassesOnlyTheNamedDescriptors) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  auto child = Subprocess::spawn({"/bin/sh", "-c", "echo `ls /proc/$$/fd | grep -c -v -E '^(0|1|2|3|10|255)$'` >&3"},
                                 {{write_end.get(), 3}});
  ASSERT_TRUE(child);
  write_end.reset();
  EXPECT_EQ(child->wait(-1), (ExitStatus{0, 0}));
  std::array<char, 16> text{};
  ASSERT_GT(::read(read_end.get(), text.data(), text.size()), 0);
  EXPECT_EQ(text[0], '0');
}

TEST(Subprocess, WaitGivesUpAndTheDestructorKills) {
  auto child = Subprocess::spawn({"/bin/sleep", "1000"}, {});
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait(10), std::nullopt);
  const pid_t pid = child->pid();
  { const Subprocess ending = std::move(*child); }
  EXPECT_NE(::kill(pid, 0), 0);
}

}  // namespace
}  // namespace rockllama
