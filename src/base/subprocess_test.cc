#include "base/subprocess.h"

#include <gtest/gtest.h>
#include <unistd.h>

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

TEST(Subprocess, FailsForAMissingProgram) {
#ifdef ROCKLLAMA_EMULATED
  GTEST_SKIP() << "qemu makes a fork of glibc's vfork, which then cannot tell that exec failed";
#endif
  EXPECT_FALSE(Subprocess::spawn({"/nonexistent/program"}, {}));
}

TEST(Subprocess, PassesOnlyTheNamedDescriptors) {
  const UniqueFd passed(::dup(2));
  const UniqueFd kept(::dup2(2, 50));
  auto child = Subprocess::spawn({"/bin/sh", "-c", "test -e /proc/self/fd/5 && ! test -e /proc/self/fd/50"},
                                 {{passed.get(), 5}});
  ASSERT_TRUE(child);
  EXPECT_EQ(child->wait(-1), (ExitStatus{0, 0}));
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
