#include "base/hash.h"

#include <gtest/gtest.h>

#include <vector>

namespace rockllama {
namespace {

TEST(Hash, OfNothingIsThePublishedValue) { EXPECT_EQ(to_hex(hash_bytes("")), "99aa06d3014798d86001c324468d497f"); }

TEST(Hash, InPiecesEqualsHashOfTheWhole) {
  std::string bytes;
  for (int i = 0; i < 100'000; ++i) bytes.push_back(static_cast<char>(i * 31));
  Hasher hasher;
  for (size_t at = 0; at < bytes.size(); at += 777) hasher.update(std::string_view(bytes).substr(at, 777));
  EXPECT_EQ(hasher.digest(), hash_bytes(bytes));
}

TEST(Hash, DependsOnEachByteAndOnTheOrderOfTokens) {
  EXPECT_NE(hash_bytes("abc"), hash_bytes("abd"));
  EXPECT_NE(hash_tokens(std::vector<int32_t>{1, 2}), hash_tokens(std::vector<int32_t>{2, 1}));
  EXPECT_EQ(hash_tokens(std::vector<int32_t>{}), hash_bytes(""));
}

TEST(Hash, HexRoundTrips) {
  const Hash128 hash{0x0123456789abcdefULL, 1};
  EXPECT_EQ(to_hex(hash), "0123456789abcdef0000000000000001");
  EXPECT_EQ(parse_hash(to_hex(hash)), hash);
}

TEST(Hash, RefusesHexOfAnotherShape) {
  EXPECT_EQ(parse_hash(""), std::nullopt);
  EXPECT_EQ(parse_hash("0123"), std::nullopt);
  EXPECT_EQ(parse_hash(std::string(33, '0')), std::nullopt);
  EXPECT_EQ(parse_hash("0123456789abcdeg0000000000000001"), std::nullopt);
  EXPECT_EQ(parse_hash("-123456789abcdef0000000000000001"), std::nullopt);
}

}  // namespace
}  // namespace rockllama
