#include "base/secrets.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace rockllama {
namespace {

std::string digits(const Digest256& digest) {
  std::string text;
  char pair[3];
  for (const uint8_t byte : digest) {
    std::snprintf(pair, sizeof pair, "%02x", byte);
    text += pair;
  }
  return text;
}

// RFC 4231, test case 2.
TEST(Secrets, MakesTheDigestOfTheStandard) {
  const auto digest = keyed_digest("Jefe", "what do ya want for nothing?");
  ASSERT_TRUE(digest);
  EXPECT_EQ(digits(*digest), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Secrets, TellsDigestsApart) {
  EXPECT_TRUE(same_digest(*keyed_digest("s", "a"), *keyed_digest("s", "a")));
  EXPECT_FALSE(same_digest(*keyed_digest("s", "a"), *keyed_digest("s", "b")));
  EXPECT_FALSE(same_digest(*keyed_digest("s", "a"), *keyed_digest("t", "a")));
}

TEST(Secrets, GivesOtherRandomBytesEachTime) {
  EXPECT_EQ(random_bytes(32)->size(), 32u);
  EXPECT_NE(*random_bytes(32), *random_bytes(32));
}

}  // namespace
}  // namespace rockllama
