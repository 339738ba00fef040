#include "engines/llama_cpp/prefix_index.h"

#include <gmock/gmock.h>

#include <numeric>

namespace rockllama {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int32_t> counted(int32_t from, size_t count) {
  std::vector<int32_t> tokens(count);
  std::iota(tokens.begin(), tokens.end(), from);
  return tokens;
}

// A prompt of 250 tokens in pieces of 100, of which 20 more were generated.
AutomaticPrefix conversation() {
  return {.tokens = counted(0, 270), .cuts = {100, 200, 250}, .generated_from = 250, .exact_tokens = 250};
}

const std::vector<uint32_t> kCuts{100, 200, 300};

// Within one expression the tokens live long enough.
PrefixQuery query(const std::vector<int32_t>& tokens, const std::vector<uint32_t>& cuts = kCuts) {
  return {.tokens = tokens, .cuts = cuts};
}

bool any(const AutomaticPrefix& /*prefix*/, uint32_t /*tokens*/) { return true; }

TEST(SharedCut, IsTheLastUpToWhichAllPiecesAreTheSame) {
  const std::vector<uint32_t> a{100, 200, 300};
  EXPECT_EQ(shared_cut(a, std::vector<uint32_t>{100, 200, 250}, 1000), 200u);
  EXPECT_EQ(shared_cut(a, std::vector<uint32_t>{50, 100, 200, 300}, 1000), 0u);
  EXPECT_EQ(shared_cut(a, a, 299), 200u);
  EXPECT_EQ(shared_cut(a, a, 300), 300u);
  EXPECT_EQ(shared_cut(a, {}, 300), 0u);
}

TEST(ReusableTokens, AreAllInCommonWhereThePromptContinuesOverGeneratedTokens) {
  EXPECT_EQ(reusable_tokens(conversation(), query(counted(0, 300))), 270u);
  EXPECT_EQ(reusable_tokens(conversation(), query(counted(0, 252))), 251u);
}

TEST(ReusableTokens, AreWholePiecesWhereItDoesNot) {
  EXPECT_EQ(reusable_tokens(conversation(), query(counted(0, 250))), 200u);
  EXPECT_EQ(reusable_tokens(conversation(), query(counted(0, 200))), 100u);
  EXPECT_EQ(reusable_tokens(conversation(), query(counted(0, 90))), 0u);
  EXPECT_EQ(reusable_tokens(conversation(), query(counted(0, 250), {130, 250})), 0u);
}

TEST(ReusableTokens, AlwaysLeaveOneToDecode) {
  EXPECT_EQ(reusable_tokens(conversation(), query(counted(0, 270))), 269u);
  EXPECT_EQ(reusable_tokens(conversation(), query({})), 0u);
  EXPECT_EQ(reusable_tokens(conversation(), query({0})), 0u);
}

TEST(ReusableTokens, UnderExactAreThePiecesThatWerePrefilledAlone) {
  const std::vector<int32_t> tokens = counted(0, 300);
  PrefixQuery exact = query(tokens);
  exact.reuse = ReusePolicy::kExact;
  AutomaticPrefix prefix = conversation();
  EXPECT_EQ(reusable_tokens(prefix, exact), 200u);
  prefix.exact_tokens = 199;
  EXPECT_EQ(reusable_tokens(prefix, exact), 100u);
  prefix.exact_tokens = 0;
  EXPECT_EQ(reusable_tokens(prefix, exact), 0u);
}

TEST(ReusableTokens, OverANamedCacheAreExactOrOverGeneratedTokens) {
  AutomaticPrefix prefix = conversation();
  prefix.exact_tokens = 100;
  const std::vector<int32_t> repeated = counted(0, 250);
  const std::vector<int32_t> next = counted(0, 300);
  PrefixQuery named = query(repeated);
  named.over_named_cache = true;
  EXPECT_EQ(reusable_tokens(prefix, named), 100u);
  named.tokens = next;
  EXPECT_EQ(reusable_tokens(prefix, named), 270u);
}

TEST(ReusableTokens, AreNoneForOtherCallersOrWhenReuseIsOff) {
  const std::vector<int32_t> tokens = counted(0, 300);
  PrefixQuery other = query(tokens);
  other.salt = {0, 1};
  EXPECT_EQ(reusable_tokens(conversation(), other), 0u);
  PrefixQuery off = query(tokens);
  off.reuse = ReusePolicy::kNone;
  EXPECT_EQ(reusable_tokens(conversation(), off), 0u);
}

TEST(PrefixIndex, FindsTheOneThatSavesMost) {
  PrefixIndex index(false);
  AutomaticPrefix shorter = conversation();
  shorter.tokens.resize(260);
  shorter.tokens.back() = -1;
  uint64_t id = 0;
  EXPECT_THAT(index.add(shorter, 1, &id), IsEmpty());
  EXPECT_THAT(index.add(conversation(), 2, &id), IsEmpty());
  const std::vector<int32_t> tokens = counted(0, 300);
  EXPECT_EQ(index.best(query(tokens), any).prefix->id, id);
  EXPECT_EQ(index.best(query(tokens), any).tokens, 270u);
  const auto not_the_best = [id](const AutomaticPrefix& one, uint32_t /*tokens*/) { return one.id != id; };
  EXPECT_EQ(index.best(query(tokens), not_the_best).tokens, 259u);
  EXPECT_EQ(index.best(query(counted(5, 300)), any).prefix, nullptr);
}

TEST(PrefixIndex, PrefersTheOneUsedLastOfEquals) {
  PrefixIndex index(false);
  uint64_t first = 0;
  uint64_t second = 0;
  AutomaticPrefix one = conversation();
  one.tokens.back() = -1;
  static_cast<void>(index.add(one, 1, &first));
  static_cast<void>(index.add(conversation(), 2, &second));
  const std::vector<int32_t> repeated = counted(0, 240);
  EXPECT_EQ(index.best(query(repeated), any).prefix->id, second);
  count_use(index.find(first)->use, 3);
  EXPECT_EQ(index.best(query(repeated), any).prefix->id, first);
}

TEST(PrefixIndex, ReplacesWhatANewerOneContinuesAndKeepsItsUses) {
  PrefixIndex index(false);
  uint64_t first = 0;
  uint64_t other_salt = 0;
  uint64_t newer = 0;
  static_cast<void>(index.add(conversation(), 1, &first));
  count_use(index.find(first)->use, 1);
  AutomaticPrefix of_other = conversation();
  of_other.salt = {7, 7};
  static_cast<void>(index.add(of_other, 1, &other_salt));
  AutomaticPrefix next = conversation();
  next.tokens = counted(0, 400);
  EXPECT_THAT(index.add(next, 1, &newer), ElementsAre(first));
  EXPECT_NEAR(index.find(newer)->use.hits, 1.0, 1e-9);
  EXPECT_EQ(index.find(first), nullptr);
  EXPECT_NE(index.find(other_salt), nullptr);
  uint64_t equal = 0;
  EXPECT_THAT(index.add(next, 1, &equal), ElementsAre(newer));
  uint64_t shorter = 0;
  EXPECT_THAT(index.add(conversation(), 1, &shorter), IsEmpty());
}

TEST(PrefixIndex, OfStatesThatCannotBeCutServesOnlyWholeOnes) {
  PrefixIndex index(true);
  uint64_t first = 0;
  uint64_t newer = 0;
  static_cast<void>(index.add(conversation(), 1, &first));
  AutomaticPrefix next = conversation();
  next.tokens = counted(0, 400);
  // The newer one cannot stand for the older: it cannot be cut back to it.
  EXPECT_THAT(index.add(next, 1, &newer), IsEmpty());
  EXPECT_EQ(index.best(query(counted(0, 500)), any).prefix->id, newer);
  EXPECT_EQ(index.best(query(counted(0, 399)), any).prefix->id, first);
  EXPECT_EQ(index.best(query(counted(0, 260)), any).prefix, nullptr);
}

}  // namespace
}  // namespace rockllama
