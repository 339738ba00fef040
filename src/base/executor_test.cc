#include "base/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace rockllama {
namespace {

TEST(Executor, RunsWhatWasPostedBeforeItEnds) {
  std::atomic<int> ran = 0;
  {
    Executor executor(2);
    for (int i = 0; i < 100; ++i) executor.post([&] { ++ran; });
  }
  EXPECT_EQ(ran, 100);
}

TEST(Executor, OneThreadKeepsTheOrder) {
  std::vector<int> order;
  {
    Executor executor(1);
    for (int i = 0; i < 10; ++i) executor.post([&order, i] { order.push_back(i); });
  }
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(Executor, RunsDelayedWorkBehindWorkThatIsDue) {
  Executor executor(1);
  std::atomic<bool> first = false;
  std::promise<bool> delayed;
  executor.post_after(20, [&] { delayed.set_value(first); });
  executor.post([&] { first = true; });
  EXPECT_TRUE(delayed.get_future().get());
}

TEST(Executor, DropsDelayedWorkWhenItEnds) {
  std::atomic<bool> ran = false;
  {
    Executor executor(1);
    executor.post_after(3'600'000, [&] { ran = true; });
  }
  EXPECT_FALSE(ran);
}

TEST(Executor, WorkMayPostMoreWorkFromSeveralThreads) {
  Executor executor(3);
  std::atomic<int> left = 50;
  std::promise<void> done;
  for (int i = 0; i < 50; ++i) {
    executor.post([&] {
      executor.post([&] {
        if (--left == 0) done.set_value();
      });
    });
  }
  done.get_future().wait();
  EXPECT_EQ(left, 0);
}

TEST(Executor, MayBeStoppedTwice) {
  Executor executor(2);
  executor.stop();
  executor.stop();
}

}  // namespace
}  // namespace rockllama
