#include "service/offer_decision.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

constexpr uint64_t kBytes = 1'000'000;
constexpr StoreLimits kLimits{
    .keep_free_bytes = kBytes, .automatic_bytes = 10 * kBytes, .automatic_write_bytes_per_day = 20 * kBytes};
// 1000 tokens: a second to prefill, 3 ms to restore.
constexpr EngineFigures kFigures{.prefill_tokens_per_s = 1000, .restore_bytes_per_s = 1e9};

protocol::Offered an_offer(uint32_t tokens = 1000) {
  return {.offer = 1, .state = {.key = {.tokens = tokens}}, .bytes = kBytes, .value = 1};
}

StoreUse roomy() { return {.limits = kLimits, .free_bytes = 1000 * kBytes}; }

TEST(OfferDecision, KeepsWhatSavesMoreThanItsWrite) {
  EXPECT_EQ(offer_refusal(an_offer(), kFigures, roomy(), 0), std::nullopt);
  EXPECT_THAT(offer_refusal(an_offer(5), kFigures, roomy(), 0), Optional(HasSubstr("hardly")));
}

TEST(OfferDecision, RefusesWhereFilesAreSlowerThanThePrefill) {
  const EngineFigures slow_disk{.prefill_tokens_per_s = 1000, .restore_bytes_per_s = 1e6};
  EXPECT_THAT(offer_refusal(an_offer(), slow_disk, roomy(), 0), Optional(HasSubstr("hardly")));
}

TEST(OfferDecision, KeepsWhatNothingWasMeasuredOf) {
  EXPECT_EQ(offer_refusal(an_offer(), {}, roomy(), 0), std::nullopt);
}

TEST(OfferDecision, CountsWhatIsBeingWrittenAgainstTheBudgets) {
  EXPECT_EQ(offer_refusal(an_offer(), kFigures, roomy(), 9 * kBytes), std::nullopt);
  EXPECT_THAT(offer_refusal(an_offer(), kFigures, roomy(), 10 * kBytes), Optional(HasSubstr("auto_cache_mib")));
  StoreUse use = roomy();
  use.automatic_bytes_written_today = 19 * kBytes;
  EXPECT_EQ(offer_refusal(an_offer(), kFigures, use, 0), std::nullopt);
  EXPECT_THAT(offer_refusal(an_offer(), kFigures, use, 1), Optional(HasSubstr("per_day")));
}

TEST(OfferDecision, LeavesTheDeviceItsFreeSpace) {
  StoreUse use = roomy();
  use.free_bytes = 2 * kBytes;
  EXPECT_EQ(offer_refusal(an_offer(), kFigures, use, 0), std::nullopt);
  use.free_bytes = 2 * kBytes - 1;
  EXPECT_THAT(offer_refusal(an_offer(), kFigures, use, 0), Optional(HasSubstr("full")));
}

TEST(OfferDecision, KnowsNoLimitsWhereNoneAreSet) {
  StoreUse use;
  use.automatic_bytes_written_today = 1000 * kBytes;
  EXPECT_EQ(offer_refusal(an_offer(), kFigures, use, 1000 * kBytes), std::nullopt);
}

}  // namespace
}  // namespace rockllama
