#include "supervisor/worker_process.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>

namespace rockllama {
namespace {

using ::testing::HasSubstr;

// A worker program as a shell script; what it writes to descriptor 3 are frames, or not.
class Script {
 public:
  explicit Script(const std::string& body) {
    std::string folder = (std::filesystem::temp_directory_path() / "rockllama-test-XXXXXX").string();
    folder_ = ::mkdtemp(folder.data());
    std::ofstream(path()) << "#!/bin/sh\n" << body << "\n";
    ::chmod(path().c_str(), 0700);
  }
  ~Script() { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path() const { return folder_ + "/worker"; }

 private:
  std::string folder_;
};

// Collects losses and failures; waits for a number of them.
class Events {
 public:
  WorkerSink sink() {
    return [this](const WorkerEvent& event) {
      const std::lock_guard lock(mutex_);
      if (const auto* loss = std::get_if<WorkerLost>(&event)) losses_.push_back(*loss);
      if (const auto* failed = std::get_if<protocol::Failed>(&event)) failures_.push_back(*failed);
      changed_.notify_all();
    };
  }
  std::vector<WorkerLost> wait_for(size_t losses) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(60), [&] { return losses_.size() >= losses; });
    return losses_;
  }
  std::vector<protocol::Failed> wait_for_failures(size_t failures) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(60), [&] { return failures_.size() >= failures; });
    return failures_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<WorkerLost> losses_;
  std::vector<protocol::Failed> failures_;
};

std::vector<WorkerLost> losses_of(const std::string& body, size_t count) {
  const Script script(body);
  Events events;
  WorkerProcess worker({.program = script.path(), .hang_floor_ms = 300, .restart_backoff_ms = 1}, {.name = "m"},
                       events.sink());
  auto losses = events.wait_for(count);
  worker.stop();
  return losses;
}

TEST(WorkerProcess, SaysWhichSignalEndedTheWorkerAndStartsItAgain) {
  const auto losses = losses_of("kill -SEGV $$", 2);
  ASSERT_GE(losses.size(), 2u);
  EXPECT_EQ(losses[0].kind, LossKind::kCrash);
  EXPECT_THAT(losses[0].reason, HasSubstr("signal 11"));
  EXPECT_FALSE(losses[0].final);
}

TEST(WorkerProcess, GivesUpAModelThatCrashesInEachLoad) {
  const auto losses = losses_of("kill -ABRT $$", 5);
  ASSERT_EQ(losses.size(), 5u);
  EXPECT_TRUE(losses[4].final);
}

TEST(WorkerProcess, KeepsWhatTheWorkerPrintedUpToItsDeath) {
  const Script script(
      "echo 'I rkllm: rkllm-runtime version: 1.2.1, rknpu driver version: 0.9.8, platform: RK3588'\n"
      "echo 'E rkllm: failed to malloc npu memory' >&2\nprintf 'no line end'\nkill -SEGV $$");
  Events events;
  WorkerProcess worker({.program = script.path(), .restart_backoff_ms = 600'000}, {.name = "m"}, events.sink());
  const auto losses = events.wait_for(1);
  EXPECT_THAT(losses[0].reason, HasSubstr("signal 11"));
  EXPECT_THAT(losses[0].reason, HasSubstr("the runtime said: E rkllm: failed to malloc npu memory"));
  const WorkerLog log = worker.log();
  ASSERT_EQ(log.lines.size(), 3u);
  EXPECT_EQ(log.lines[2], "no line end");
  EXPECT_EQ(log.runtime.version, "1.2.1");
  EXPECT_EQ(log.runtime.driver_version, "0.9.8");
}

TEST(WorkerProcess, TellsNoPathToClients) {
  const Script script("echo 'E rkllm: cannot open /srv/models/model.rkllm'\nkill -SEGV $$");
  Events events;
  WorkerProcess worker({.program = script.path(), .restart_backoff_ms = 600'000}, {.name = "m"}, events.sink());
  EXPECT_EQ(events.wait_for(1)[0].reason.find('/'), std::string::npos);
  EXPECT_EQ(worker.log().lines.size(), 1u);
}

TEST(WorkerProcess, TakesAllThatAWorkerPrintsAndKeepsTheEnd) {
  const Script script(
      "i=0; while [ $i -lt 2000 ]; do echo \"line $i of many, many lines\"; i=$((i+1)); done; kill -SEGV $$");
  Events events;
  WorkerProcess worker({.program = script.path(), .restart_backoff_ms = 600'000}, {.name = "m"}, events.sink());
  (void)events.wait_for(1);
  const auto lines = worker.log().lines;
  EXPECT_EQ(lines.size(), 200u);
  EXPECT_EQ(lines.back(), "line 1999 of many, many lines");
}

TEST(WorkerProcess, IsNotHeldUpByAGrandchildThatKeepsThePipe) {
  const Script script("sleep 600 3>&- & echo $!\nkill -SEGV $$");
  Events events;
  WorkerProcess worker({.program = script.path(), .restart_backoff_ms = 600'000}, {.name = "m"}, events.sink());
  EXPECT_EQ(events.wait_for(1).size(), 1u);
  ASSERT_EQ(worker.log().lines.size(), 1u);
  ::kill(std::stoi(worker.log().lines[0]), SIGKILL);
}

TEST(WorkerProcess, TellsAKillFromACrash) {
  const auto losses = losses_of("kill -KILL $$", 1);
  ASSERT_GE(losses.size(), 1u);
  EXPECT_EQ(losses[0].kind, LossKind::kKilled);
}

TEST(WorkerProcess, KillsAWorkerThatDoesNotLoadInTime) {
  const auto losses = losses_of("exec sleep 1000", 1);
  ASSERT_GE(losses.size(), 1u);
  EXPECT_EQ(losses[0].kind, LossKind::kHang);
}

TEST(WorkerProcess, KillsAWorkerThatSendsGarbage) {
  // A frame of one byte that is no message.
  const auto losses = losses_of("printf '\\001\\000\\000\\000\\377' >&3; exec sleep 1000", 1);
  ASSERT_GE(losses.size(), 1u);
  EXPECT_THAT(losses[0].reason, HasSubstr("garbage"));
}

TEST(WorkerProcess, FailsForGoodWithoutItsProgram) {
#ifdef ROCKLLAMA_EMULATED
  GTEST_SKIP() << "qemu makes a fork of glibc's vfork, which then cannot tell that exec failed";
#endif
  Events events;
  WorkerProcess worker({.program = "/nonexistent/worker"}, {.name = "m"}, events.sink());
  const auto losses = events.wait_for(1);
  ASSERT_EQ(losses.size(), 1u);
  EXPECT_TRUE(losses[0].final);
}

TEST(WorkerProcess, StopEndsAWorkerThatIgnoresIt) {
  const Script script("trap '' TERM; exec sleep 1000");
  Events events;
  WorkerProcess worker({.program = script.path(), .stop_grace_ms = 10}, {.name = "m"}, events.sink());
  worker.stop();
  EXPECT_TRUE(events.wait_for(0).empty());
}

TEST(WorkerProcess, RefusesAPromptThatDoesNotFitAFrameAndKeepsTheWorker) {
  const Script script("exec sleep 1000");
  Events events;
  WorkerProcess worker({.program = script.path(), .stop_grace_ms = 10, .frame_limit_bytes = 1000}, {.name = "m"},
                       events.sink());
  worker.prepare({.id = 7, .prompt = TextPrompt{std::string(1000, 'x')}});
  const auto failures = events.wait_for_failures(1);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].id, 7u);
  EXPECT_EQ(failures[0].code, ErrorCode::kTooLarge);
  worker.stop();
  EXPECT_TRUE(events.wait_for(0).empty());
}

TEST(WorkerProcess, RefusesPromptsBehindTooManyOthersAndKeepsTheWorker) {
  const Script script("exec sleep 1000");
  Events events;
  WorkerProcess worker({.program = script.path(), .stop_grace_ms = 10, .frame_limit_bytes = 4000}, {.name = "m"},
                       events.sink());
  // One that is refused in any case tells that the worker lives.
  worker.prepare({.id = 1, .prompt = TextPrompt{std::string(5000, 'x')}});
  ASSERT_EQ(events.wait_for_failures(1).size(), 1u);
  for (RequestId id = 2; id < 2000; ++id) worker.prepare({.id = id, .prompt = TextPrompt{std::string(3000, 'x')}});
  const auto failures = events.wait_for_failures(2);
  ASSERT_GE(failures.size(), 2u);
  EXPECT_EQ(failures[1].code, ErrorCode::kQueueFull);
  worker.stop();
  EXPECT_TRUE(events.wait_for(0).empty());
}

}  // namespace
}  // namespace rockllama
