#include "worker/state_index.h"

#include <gmock/gmock.h>

#include <numeric>

#include "base/hash.h"

namespace rockllama {
namespace {

using ::testing::IsEmpty;

std::vector<int32_t> counted_tokens(size_t size, int32_t first = 0) {
  std::vector<int32_t> tokens(size);
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

StatePoint point_at(uint32_t tokens, int32_t first = 0) { return {tokens, hash_tokens(counted_tokens(tokens, first))}; }

KnownState known_state(const std::string& name, uint32_t tokens, int32_t first = 0) {
  const std::string id = "m/" + name + "/chat/" + std::to_string(tokens) + "-" + std::to_string(first);
  return {.name = name, .key = {id, tokens, point_at(tokens, first).token_hash}, .cuts = {tokens}};
}

StateIndex index_of(std::vector<KnownState> states) {
  StateIndex index;
  index.apply({.reset = true, .added = std::move(states)});
  return index;
}

std::vector<std::string> found_in(const StateIndex& index, const std::vector<int32_t>& prompt) {
  std::vector<std::string> found;
  for (const FoundState& one : index.find(prompt)) found.push_back(one.state->name + "@" + std::to_string(one.tokens));
  return found;
}

TEST(StateIndex, FindsWhatAPromptBeginsWithTheShortestFirst) {
  const StateIndex index = index_of({known_state("long", 40), known_state("other", 10, 5), known_state("short", 8)});
  EXPECT_THAT(found_in(index, counted_tokens(50)), ::testing::ElementsAre("short@8", "long@40"));
  EXPECT_THAT(found_in(index, counted_tokens(30)), ::testing::ElementsAre("short@8"));
  EXPECT_THAT(found_in(index, counted_tokens(30, 7)), IsEmpty());
}

TEST(StateIndex, LeavesATokenToDecode) {
  const StateIndex index = index_of({known_state("whole", 10)});
  EXPECT_THAT(found_in(index, counted_tokens(10)), IsEmpty());
  EXPECT_THAT(found_in(index, counted_tokens(11)), ::testing::ElementsAre("whole@10"));
  EXPECT_THAT(found_in(index, {}), IsEmpty());
}

TEST(StateIndex, FindsPointsInsideAState) {
  KnownState talk = known_state("", 40);
  talk.points = {point_at(12), point_at(20)};
  const StateIndex index = index_of({talk});
  EXPECT_THAT(found_in(index, counted_tokens(30)), ::testing::ElementsAre("@12", "@20"));
}

TEST(StateIndex, ForgetsWhatWasRemovedAndKeepsItsTwin) {
  KnownState twin = known_state("twin", 10);
  twin.key.id = "m/twin/chat/2";
  twin.points = {point_at(4)};
  StateIndex index = index_of({known_state("first", 10), twin});
  index.apply({.removed = {known_state("first", 10).key.id, "unknown"}});
  EXPECT_THAT(found_in(index, counted_tokens(11)), ::testing::ElementsAre("twin@4", "twin@10"));
  index.apply({.removed = {twin.key.id}});
  EXPECT_THAT(found_in(index, counted_tokens(11)), IsEmpty());
  EXPECT_EQ(index.size(), 0u);
}

TEST(StateIndex, TakesTheNewStateOfAnIdAndForgetsAllAtAReset) {
  StateIndex index = index_of({known_state("a", 10)});
  KnownState moved = known_state("a", 10);
  moved.key.tokens = 6;
  moved.key.token_hash = point_at(6).token_hash;
  index.apply({.added = {moved}});
  EXPECT_THAT(found_in(index, counted_tokens(20)), ::testing::ElementsAre("a@6"));
  index.apply({.reset = true});
  EXPECT_THAT(found_in(index, counted_tokens(20)), IsEmpty());
}

TEST(LongestNamed, ServesWholeAndInTheRightRendering) {
  KnownState raw = known_state("raw", 30);
  raw.format = StateFormat::kRaw;
  KnownState pointed = known_state("pointed", 60);
  pointed.points = {point_at(40)};
  const StateIndex index = index_of({known_state("a", 10), known_state("b", 20), raw, pointed, known_state("", 35)});
  const auto found = index.find(counted_tokens(50));
  EXPECT_EQ(longest_named(found, StateFormat::kChat).state->name, "b");
  EXPECT_EQ(longest_named(found, StateFormat::kRaw).state->name, "raw");
  EXPECT_EQ(longest_named({}, StateFormat::kRaw).state, nullptr);
}

TEST(LongestWithCuts, WasPrefilledInTheSameBlocks) {
  KnownState longer = known_state("longer", 30);
  longer.cuts = {20, 30};
  const StateIndex index = index_of({known_state("a", 10), longer});
  const auto found = index.find(counted_tokens(50));
  EXPECT_EQ(longest_with_cuts(found, StateFormat::kChat, std::vector<uint32_t>{20, 30, 40}).state->name, "longer");
  EXPECT_EQ(longest_with_cuts(found, StateFormat::kChat, std::vector<uint32_t>{10, 30, 40}).state->name, "a");
  EXPECT_EQ(longest_with_cuts(found, StateFormat::kChat, std::vector<uint32_t>{16, 32}).state, nullptr);
}

TEST(LongestAutomatic, IsForItsCallerOrForAll) {
  KnownState own = known_state("", 30);
  own.salt = {1, 2};
  const StateIndex index = index_of({known_state("", 10), own, known_state("named", 40)});
  const auto found = index.find(counted_tokens(50));
  EXPECT_EQ(longest_automatic(found, {1, 2}).tokens, 30u);
  EXPECT_EQ(longest_automatic(found, {1, 3}).tokens, 10u);
  EXPECT_EQ(longest_automatic(found, {}).tokens, 10u);
}

TEST(StateIndex, FindsTheOneOfTenThousand) {
  std::vector<KnownState> states;
  for (int32_t i = 0; i < 10'000; ++i) {
    states.push_back({.name = std::to_string(i),
                      .key = {std::to_string(i), 50 + static_cast<uint32_t>(i) % 1950, {1, static_cast<uint64_t>(i)}}});
  }
  states.push_back(known_state("here", 1000));
  const StateIndex index = index_of(std::move(states));
  EXPECT_THAT(found_in(index, counted_tokens(2000)), ::testing::ElementsAre("here@1000"));
}

}  // namespace
}  // namespace rockllama
