#include "engines/llama_cpp/state_payload.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace rockllama {
namespace {

constexpr StateLayout kLayout{.known = true, .base_bytes = 24, .token_bytes = 20, .cells_listed = true};

std::vector<uint8_t> payload(uint32_t tokens) {
  std::vector<uint32_t> words = {0, 0, 1, tokens};
  for (uint32_t i = 0; i < tokens; ++i) words.insert(words.end(), {i, 1, 0});
  std::vector<uint8_t> bytes(24 + size_t{tokens} * 20);
  std::memcpy(bytes.data(), words.data(), words.size() * 4);
  return bytes;
}

TEST(StatePayload, IsTakenWhenSizeAndCellsAreRight) { EXPECT_TRUE(check_payload(payload(3), 3, kLayout)); }

TEST(StatePayload, IsRefusedAtEveryOtherSize) {
  const std::vector<uint8_t> whole = payload(3);
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(check_payload(std::span(whole).first(size), 3, kLayout)) << size;
  }
  EXPECT_FALSE(check_payload(payload(4), 3, kLayout));
}

TEST(StatePayload, IsRefusedWhenItListsOtherCells) {
  for (size_t offset : {12, 16, 20, 28, 44}) {
    std::vector<uint8_t> bytes = payload(3);
    bytes[offset] ^= 0x10;
    EXPECT_FALSE(check_payload(bytes, 3, kLayout)) << offset;
  }
}

TEST(StatePayload, OfAnUnknownLayoutMustNotBeEmpty) {
  EXPECT_FALSE(check_payload({}, 3, StateLayout{}));
  EXPECT_TRUE(check_payload(payload(1), 3, StateLayout{}));
}

}  // namespace
}  // namespace rockllama
