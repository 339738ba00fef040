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
  watch.loaded(0);
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
  watch.start_asked(1, 8, 0, 0);
  EXPECT_FALSE(watch.hung(kUnmeasured - 1));
  EXPECT_TRUE(watch.hung(kUnmeasured + 1));
}

TEST(ProgressWatch, ExpectsTheStepsOfAQuestionUntilItsAnswer) {
  ProgressWatch watch(kFloor, kBlock);
  watch.loaded(1'000'000);
  watch.question_asked(1, 400, 0);
  EXPECT_TRUE(watch.hung(kUnmeasured + 1));
  watch.prefilled(1, 100, 100, 100);  // 1000 tokens per second; no file follows
  EXPECT_TRUE(watch.hung(100 + kFloor + 1001));
  watch.ended(1, 200);
  EXPECT_FALSE(watch.hung(1e9));
}

TEST(ProgressWatch, ScalesByTheMeasuredSpeed) {
  ProgressWatch watch(kFloor, kBlock);
  watch.start_asked(1, 8, 0, 0);
  watch.started(1, 0, 0);
  watch.prefilled(1, 100, 1000, 100);  // 1000 tokens per second: a block may take ten times 100 ms
  EXPECT_FALSE(watch.hung(100 + kFloor + 999));
  EXPECT_TRUE(watch.hung(100 + kFloor + 1001));
}

TEST(ProgressWatch, GivesAPromptInOnePieceTimeByItsLength) {
  ProgressWatch watch(kFloor, 0, 1000);
  watch.prepare_asked(1, 40'000, 0);
  watch.prepared(1);
  watch.start_asked(1, 8, 0, 0);
  watch.started(1, 0, 0);
  EXPECT_FALSE(watch.hung(kFloor + 99'000));  // 10000 tokens, a tenth of 1000 in a second
  EXPECT_TRUE(watch.hung(kFloor + 101'000));
  watch.generated(1, 1, 50'000);
  EXPECT_FALSE(watch.hung(50'000 + kFloor + 600));
  EXPECT_TRUE(watch.hung(50'000 + kFloor + 700));
}

TEST(ProgressWatch, GivesAStateInOnePieceTimeByItsText) {
  ProgressWatch watch(kFloor, 0, 1000);
  watch.save_asked(1, 0, 40'000);
  EXPECT_FALSE(watch.hung(kFloor + 99'000));
  EXPECT_TRUE(watch.hung(kFloor + 101'000));
  watch.ended(1, 90'000);
  EXPECT_FALSE(watch.hung(1e9));
}

TEST(ProgressWatch, KnowsTheSpeedOfTheProcessBefore) {
  ProgressWatch watch(kFloor, kBlock, 1000);
  watch.start_asked(1, 8, 0, 0);
  EXPECT_FALSE(watch.hung(kFloor + 999));
  EXPECT_TRUE(watch.hung(kFloor + 1001));
}

TEST(ProgressWatch, WatchesTheWriteOfAStateThatIsThere) {
  ProgressWatch watch(kFloor, kBlock);
  watch.write_asked(1, 50'000'000, 0);
  EXPECT_FALSE(watch.hung(kUnmeasured + 10'000 - 1));
  EXPECT_TRUE(watch.hung(kUnmeasured + 10'000 + 1));
  watch.ended(1, 0);
  EXPECT_FALSE(watch.hung(1e9));
  EXPECT_EQ(watch.disk_patience_ms(), 0);
}

TEST(ProgressWatch, MeasuresOnlyWhatWasNotCached) {
  ProgressWatch watch(kFloor, kBlock);
  watch.start_asked(1, 8, 0, 0);
  watch.started(1, 8000, 0);
  watch.prefilled(1, 8040, 8200, 5000);
  EXPECT_DOUBLE_EQ(watch.prefill_speed(), 8);
  EXPECT_FALSE(watch.hung(5000 + kFloor + 124'000));
  EXPECT_TRUE(watch.hung(5000 + kFloor + 126'000));
}

TEST(ProgressWatch, MeasuresNothingOverAFewTokens) {
  ProgressWatch watch(kFloor, kBlock);
  watch.start_asked(1, 8, 0, 0);
  watch.started(1, 8000, 0);
  watch.prefilled(1, 8015, 8015, 1);
  EXPECT_EQ(watch.prefill_speed(), 0);
}

TEST(ProgressWatch, GivesARestoreTimeByTheStatesSize) {
  ProgressWatch watch(kFloor, kBlock);
  watch.start_asked(1, 8, 500'000'000, 0);
  watch.restoring(1, 40'000);
  EXPECT_FALSE(watch.hung(40'000 + kUnmeasured + 99'000));
  EXPECT_TRUE(watch.hung(40'000 + kUnmeasured + 101'000));
  watch.started(1, 8000, 100'000);
  EXPECT_TRUE(watch.hung(100'000 + kUnmeasured + 1));
}

TEST(ProgressWatch, GivesASavedStateTimeForItsFileAfterItsLastBlock) {
  ProgressWatch watch(kFloor, kBlock);
  watch.loaded(100'000);
  watch.save_asked(1, 0);
  watch.prefilled(1, 100, 200, 100);
  EXPECT_TRUE(watch.hung(100 + kFloor + 1001));
  watch.prefilled(1, 200, 200, 200);  // 20 MB to write
  EXPECT_FALSE(watch.hung(200 + kFloor + 4999));
  EXPECT_TRUE(watch.hung(200 + kFloor + 5001));
}

TEST(ProgressWatch, ExpectsNothingOfAGenerationOutOfCreditNorOfWhatWaitsForIt) {
  ProgressWatch watch(kFloor, kBlock);
  watch.start_asked(1, 2, 0, 0);
  watch.started(1, 0, 0);
  watch.generated(1, 2, 1);
  watch.start_asked(2, 2, 0, 2);
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
  watch.start_asked(1, 8, 0, 0);
  watch.ended(1, 10);
  watch.start_asked(2, 8, 0, 1e9);
  EXPECT_FALSE(watch.hung(1e9 + 1));
}

}  // namespace
}  // namespace rockllama
