#include "cli/ttft_report.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace rockllama {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<TtftRounds> kLengths = {{.prompt_tokens = 370,
                                           .cold = {700, 900, 800},
                                           .cached = {40, 50, 30},
                                           .again = {20, 20, 20},
                                           .restarted = {50, 50, 50}}};

TEST(TtftReport, MedianIsTheMiddleOrTheMeanOfTheMiddleTwo) {
  EXPECT_EQ(median({}), 0);
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
}

TEST(TtftReport, TableGivesRatiosOfMediansBeforeTheTimes) {
  EXPECT_THAT(ttft_table("demo", kLengths), HasSubstr("| 370 | 20.0 | 16.0 | 800.0 | 40.0 | 20.0 | 50.0 |"));
  EXPECT_THAT(ttft_table("demo", kLengths), HasSubstr("demo, medians of 3 rounds"));
}

TEST(TtftReport, TableSaysThatAReuseIsNotVerified) {
  std::vector<TtftRounds> lengths = kLengths;
  EXPECT_THAT(ttft_table("demo", lengths), Not(HasSubstr("no prefill count")));
  lengths.front().unverified = true;
  EXPECT_THAT(ttft_table("demo", lengths), HasSubstr("no prefill count"));
}

TEST(TtftReport, JsonHoldsEveryRound) {
  const auto json = nlohmann::json::parse(ttft_json("demo", kLengths));
  EXPECT_EQ(json["model"], "demo");
  EXPECT_EQ(json["prompts"][0]["cold"]["rounds_ms"].size(), 3U);
  EXPECT_EQ(json["prompts"][0]["cached_times_sooner"], 20.0);
}

TEST(TtftReport, HasNoRatioWhereNothingWasMeasured) {
  EXPECT_THAT(ttft_table("demo", {{.prompt_tokens = 5}}), HasSubstr("| 5 | 0.0 | 0.0 |"));
}

}  // namespace
}  // namespace rockllama
