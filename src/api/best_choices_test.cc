#include "api/best_choices.h"

#include <gmock/gmock.h>

namespace rockllama::api {
namespace {

using testing::ElementsAre;

ChoiceAnswer candidate(const std::string& text, const std::vector<float>& logprobs) {
  ChoiceAnswer answer{.said = {.text = text}};
  for (const float logprob : logprobs) answer.said.logprobs.push_back({.chosen = {text, logprob}});
  return answer;
}

std::vector<std::string> texts_of(const std::vector<ChoiceAnswer>& answers) {
  std::vector<std::string> texts;
  for (const ChoiceAnswer& answer : answers) texts.push_back(answer.said.text);
  return texts;
}

TEST(BestChoices, HaveTheHighestLogprobForEachToken) {
  const std::vector<ChoiceAnswer> answers = {candidate("short", {-2}), candidate("long", {-1, -1, -1}),
                                             candidate("none", {}), candidate("best", {-0.5F})};
  EXPECT_THAT(texts_of(best_choices(answers, 4, 1)), ElementsAre("best"));
  EXPECT_THAT(texts_of(best_choices(answers, 4, 3)), ElementsAre("best", "long", "short"));
}

TEST(BestChoices, AreChosenForEachPrompt) {
  const std::vector<ChoiceAnswer> answers = {candidate("a", {-2}), candidate("b", {-1}), candidate("c", {-0.1F}),
                                             candidate("d", {-3})};
  EXPECT_THAT(texts_of(best_choices(answers, 2, 1)), ElementsAre("b", "c"));
}

TEST(BestChoices, KeepTheirOrderWhereAllAreTold) {
  const std::vector<ChoiceAnswer> answers = {candidate("a", {-2}), candidate("b", {-1})};
  EXPECT_THAT(texts_of(best_choices(answers, 2, 2)), ElementsAre("a", "b"));
  EXPECT_THAT(texts_of(best_choices(answers, 1, 1)), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace rockllama::api
