#include "service/break_even.h"

#include <gtest/gtest.h>

namespace rockllama {
namespace {

constexpr uint64_t kTokenBytes = 1000;

TEST(BreakEven, IsEarlyWhereFilesAreQuick) {
  // A token costs 1 ms to prefill and 0.001 ms to restore; opening costs 2 ms.
  EXPECT_EQ(break_even_tokens(kTokenBytes, {.prefill_tokens_per_s = 1000, .restore_bytes_per_s = 1e9}), 3u);
}

TEST(BreakEven, IsNeverWhereFilesAreSlowerThanThePrefill) {
  EXPECT_EQ(break_even_tokens(kTokenBytes, {.prefill_tokens_per_s = 1000, .restore_bytes_per_s = 1e6}), std::nullopt);
}

TEST(BreakEven, IsUnknownBeforeThePrefillWasMeasured) {
  EXPECT_EQ(break_even_tokens(kTokenBytes, {.restore_bytes_per_s = 1e9}), std::nullopt);
}

TEST(BreakEven, TakesACautiousSpeedForFilesThatWereNotMeasured) {
  const EngineFigures figures{.prefill_tokens_per_s = 1000};
  EXPECT_GT(restore_ms(1'000'000, figures), restore_ms(1'000'000, {.restore_bytes_per_s = 1e9}));
  EXPECT_TRUE(break_even_tokens(kTokenBytes, figures));
}

}  // namespace
}  // namespace rockllama
