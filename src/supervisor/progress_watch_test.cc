#include "supervisor/progress_watch.h"

#include <gtest/gtest.h>

namespace rockllama {
namespace {

constexpr double kFloor = 1000;
constexpr uint32_t kBlock = 100;
constexpr double kUnmeasured = kFloor + 50'000;  // a block at two tokens per second

TEST(ProgressWatch, GivesALoadTimeByItsSize) {
  ProgressWatch watch(kFloor, kBlock);
  watch.load_asked(5'000'000, 0);
  EXPECT_FALSE(watch.hung(1900));
  EXPECT_TRUE(watch.hung(2100));
  watch.loaded();
  EXPECT_FALSE(watch.hung(1e9));
}

TEST(ProgressWatch, ExpectsNothingOfAnIdleWorker) { EXPECT_FALSE(ProgressWatch(kFloor, kBlock).hung(1e9)); }

TEST(ProgressWatch, GivesPreparesTimeOneAfterTheOther) {
  ProgressWatch watch(kFloor, kBlock);
  watch.prepare_asked(1, 100'000, 0);
  watch.prepare_asked(2, 100'000, 0);
  EXPECT_FALSE(watch.hung(1900));
  watch.prepared(1);
  EXPECT_FALSE(watch.hung(2900));
  EXPECT_TRUE(watch.hung(3100));
}

TEST(ProgressWatch, WaitsForAFirstBlockAtTheSlowestSpeed) {
  ProgressWatch watch(kFloor, kBlock);
  watch.start_asked(1, 8, 0);
  EXPECT_FALSE(watch.hung(kUnmeasured - 1));
  EXPECT_TRUE(watch.hung(kUnmeasured + 1));
}

TEST(ProgressWatch, ScalesByTheMeasuredSpeed) {
  ProgressWatch watch(kFloor, kBlock);
  watch.start_asked(1, 8, 0);
  watch.started(1, 0);
  watch.prefilled(1, 100, 100);  // 1000 tokens per second: a block may take ten times 100 ms
  EXPECT_FALSE(watch.hung(100 + kFloor + 999));
  EXPECT_TRUE(watch.hung(100 + kFloor + 1001));
}

TEST(ProgressWatch, ExpectsNothingOfAGenerationOutOfCreditNorOfWhatWaitsForIt) {
  ProgressWatch watch(kFloor, kBlock);
  watch.start_asked(1, 2, 0);
  watch.started(1, 0);
  watch.generated(1, 2, 1);
  watch.start_asked(2, 2, 2);
  EXPECT_FALSE(watch.hung(1e9));
  watch.credit_added(1, 1, 1e9);
  EXPECT_FALSE(watch.hung(1e9 + 1));
  EXPECT_TRUE(watch.hung(1e9 + kUnmeasured + 1));
}

TEST(ProgressWatch, ExpectsProgressOfAStateAlways) {
  ProgressWatch watch(kFloor, kBlock);
  watch.save_asked(1, 0);
  EXPECT_TRUE(watch.hung(kUnmeasured + 1));
  watch.ended(1, kUnmeasured + 1);
  EXPECT_FALSE(watch.hung(1e9));
}

TEST(ProgressWatch, AnIdleTimeBeforeARequestDoesNotCount) {
  ProgressWatch watch(kFloor, kBlock);
  watch.start_asked(1, 8, 0);
  watch.ended(1, 10);
  watch.start_asked(2, 8, 1e9);
  EXPECT_FALSE(watch.hung(1e9 + 1));
}

}  // namespace
}  // namespace rockllama
