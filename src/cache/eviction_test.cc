#include "cache/eviction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rockllama {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint64_t kMiB = uint64_t{1} << 20;

EvictionEntry named_entry(const std::string& name, uint64_t mib, double value) {
  return {.model = "m", .name = name, .text_bytes = 0, .state_bytes = mib * kMiB, .value = value};
}
EvictionEntry automatic_entry(uint64_t mib, double value) {
  return {.model = "m", .name = "m/auto/1", .automatic = true, .state_bytes = mib * kMiB, .value = value};
}

TEST(Eviction, TakesNothingWhereThereIsRoomOrNoLimit) {
  const std::vector<EvictionEntry> entries = {named_entry("a", 10, 1), automatic_entry(10, 1)};
  EXPECT_TRUE(plan_eviction(entries, {.model = "m", .bytes = 10 * kMiB, .new_cache = true}, {})->empty());
  EXPECT_TRUE(plan_eviction(entries, {.model = "m", .bytes = 10 * kMiB},
                            {.max_total_bytes = 30 * kMiB, .max_model_bytes = 30 * kMiB})
                  ->empty());
}

TEST(Eviction, TakesAutomaticStatesFirstThenTheLeastValuable) {
  const std::vector<EvictionEntry> entries = {named_entry("a", 10, 5), named_entry("b", 10, 1), automatic_entry(10, 9),
                                              automatic_entry(10, 8)};
  const auto plan = plan_eviction(entries, {.model = "m", .bytes = 25 * kMiB}, {.max_total_bytes = 40 * kMiB});
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->automatic, ElementsAre(3, 2));
  EXPECT_THAT(plan->states, ElementsAre(1));
  EXPECT_THAT(plan->caches, IsEmpty());
}

TEST(Eviction, LeavesWhatIsPinnedInUseOrWouldFreeNothing) {
  std::vector<EvictionEntry> entries = {named_entry("pinned", 10, 1), named_entry("used", 10, 1),
                                        named_entry("text", 0, 1), automatic_entry(10, 1), named_entry("a", 10, 9)};
  entries[0].pinned = true;
  entries[1].in_use = true;
  entries[3].in_use = true;
  const StoreLimits limits{.max_total_bytes = 40 * kMiB};
  EXPECT_THAT(plan_eviction(entries, {.model = "m", .bytes = 10 * kMiB}, limits)->states, ElementsAre(4));
  const auto refused = plan_eviction(entries, {.model = "m", .bytes = 11 * kMiB}, limits);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(refused.error().message,
            "11.00 MiB are needed, 40.00 MiB of 40.00 MiB (cache.max_total_mib) are taken, and what may go leaves 1.00 "
            "MiB missing: the rest is text, pinned or in use");
}

TEST(Eviction, AModelsLimitIsMetFromThatModelOnly) {
  std::vector<EvictionEntry> entries = {named_entry("cheap", 10, 1), named_entry("dear", 10, 9)};
  entries[0].model = "other";
  const StoreLimits limits{.max_model_bytes = 15 * kMiB};
  EXPECT_THAT(plan_eviction(entries, {.model = "m", .bytes = 10 * kMiB}, limits)->states, ElementsAre(1));
  EXPECT_THAT(plan_eviction(entries, {.model = "m", .bytes = 16 * kMiB}, limits).error().message,
              HasSubstr("cache.max_model_mib"));
}

TEST(Eviction, TooManyCachesCostOnlyExpendableOnes) {
  std::vector<EvictionEntry> entries = {named_entry("a", 1, 1), named_entry("b", 1, 9), named_entry("c", 1, 5)};
  const EvictionNeed need{.model = "m", .bytes = 1, .new_cache = true};
  EXPECT_EQ(plan_eviction(entries, need, {.max_entries = 3}).error().message,
            "there are 3 caches and 3 are allowed (cache.max_entries); delete some");
  entries[1].expendable = entries[2].expendable = true;
  EXPECT_THAT(plan_eviction(entries, need, {.max_entries = 3})->caches, ElementsAre(2));
  EXPECT_THAT(plan_eviction(entries, need, {.max_entries = 2})->caches, ElementsAre(2, 1));
  EXPECT_FALSE(plan_eviction(entries, need, {.max_entries = 1}));
  EXPECT_TRUE(plan_eviction(entries, {.model = "m"}, {.max_entries = 3})->empty());
}

TEST(Eviction, AnAutomaticStateCostsNoNamedOneAndNoneThatIsWorthMore) {
  const std::vector<EvictionEntry> entries = {named_entry("a", 10, 0), automatic_entry(10, 3), automatic_entry(10, 7)};
  const EvictionNeed need{.model = "m", .bytes = 10 * kMiB, .automatic = true, .value = 5};
  EXPECT_THAT(plan_eviction(entries, need, {.automatic_bytes = 20 * kMiB})->automatic, ElementsAre(1));
  EXPECT_THAT(plan_eviction(entries, need, {.max_total_bytes = 30 * kMiB})->automatic, ElementsAre(1));
  EXPECT_THAT(plan_eviction(entries, need, {.automatic_bytes = 19 * kMiB}).error().message, HasSubstr("worth more"));
}

TEST(Eviction, KeepsTheDeviceFromFillingUp) {
  const std::vector<EvictionEntry> entries = {named_entry("a", 10, 1), automatic_entry(10, 1)};
  const EvictionNeed need{.model = "m", .free_bytes = 5 * kMiB};
  EXPECT_TRUE(plan_eviction(entries, need, {.keep_free_bytes = 5 * kMiB})->empty());
  EXPECT_THAT(plan_eviction(entries, need, {.keep_free_bytes = 6 * kMiB})->automatic, ElementsAre(1));
  EXPECT_EQ(plan_eviction(entries, need, {.keep_free_bytes = 30 * kMiB}).error().message,
            "the device has 5.00 MiB left and 30.00 MiB (cache.keep_free_mib) have to stay free; 5.00 MiB are missing");
}

}  // namespace
}  // namespace rockllama
