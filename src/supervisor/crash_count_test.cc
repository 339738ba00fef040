#include "supervisor/crash_count.h"

#include <gtest/gtest.h>

namespace rockllama {
namespace {

// Loads and dies `times` times, `life_ms` after each load; whether the last loss was one too many.
bool live(CrashCount* count, int times, double life_ms) {
  bool too_many = false;
  for (int i = 0; i < times; ++i) {
    count->load_began();
    count->loaded(1000);
    too_many = count->lost(1000 + life_ms);
  }
  return too_many;
}

TEST(CrashCount, GivesUpAtTheFifthCrashOfALoad) {
  CrashCount count;
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(count.lost(i));
  EXPECT_TRUE(count.lost(5));
  EXPECT_EQ(count.in_a_row(), 5);
}

TEST(CrashCount, CountsCrashesWithinAMinuteOfALoad) {
  CrashCount count;
  EXPECT_FALSE(live(&count, 4, 59'000));
  EXPECT_TRUE(live(&count, 1, 59'000));
}

TEST(CrashCount, NeverGivesUpAModelThatLivesLonger) {
  CrashCount count;
  EXPECT_FALSE(live(&count, 50, 61'000));
  EXPECT_EQ(count.in_a_row(), 50);
}

TEST(CrashCount, BeginsAnewAfterALongLifeOrAnAnswer) {
  CrashCount count;
  EXPECT_FALSE(live(&count, 4, 0));
  EXPECT_FALSE(live(&count, 1, 61'000));
  EXPECT_FALSE(live(&count, 4, 0));
  count.worked();
  EXPECT_EQ(count.in_a_row(), 0);
  EXPECT_FALSE(live(&count, 4, 0));
  EXPECT_TRUE(live(&count, 1, 0));
}

}  // namespace
}  // namespace rockllama
