#include "domain/generation.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SamplingParams, TheFirstThatSaysAFieldWins) {
  const SamplingParams both = merged({.temperature = 0.5F}, {.temperature = 1.0F, .top_k = 3});
  EXPECT_EQ(both.temperature, 0.5F);
  EXPECT_EQ(both.top_k, 3);
  EXPECT_FALSE(both.top_p);
  EXPECT_THAT(merged({}, {.logit_bias = {{1, 2.0F}}}).logit_bias, ElementsAre(std::pair(1, 2.0F)));
}

TEST(SamplingParams, DifferOnlyInFieldsThatAreSet) {
  const SamplingParams defaults{.temperature = 0.8F, .top_p = 0.95F};
  EXPECT_THAT(differing_fields({}, defaults), IsEmpty());
  EXPECT_THAT(differing_fields({.temperature = 0.8F}, defaults), IsEmpty());
  EXPECT_THAT(differing_fields({.temperature = 0.7F, .seed = 1, .logit_bias = {{1, 2.0F}}}, defaults),
              ElementsAre("temperature", "seed", "logit_bias"));
}

TEST(SamplingParams, EveryFieldHasAName) {
  EXPECT_EQ(sampling_field_names().size(), 12u);
  EXPECT_THAT(sampling_field_names(), Contains("mirostat_eta"));
}

}  // namespace
}  // namespace rockllama
