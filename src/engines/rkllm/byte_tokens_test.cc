#include "engines/rkllm/byte_tokens.h"

#include <gtest/gtest.h>

namespace rockllama::rkllm {
namespace {

std::string there_and_back(const std::string& text) { return text_of_bytes(bytes_as_tokens(text)); }

TEST(ByteTokens, GiveTheTextBack) {
  for (const std::string& text : {std::string(), std::string("plain"), std::string("gr\xc3\xbc\xc3\x9f"),
                                  std::string("\xe4\xbd\xa0"), std::string("\xf0\x9f\x90\xb1")}) {
    EXPECT_EQ(there_and_back(text), text);
  }
}

TEST(ByteTokens, LeaveOutACharacterThatTheEndCutsThrough) {
  EXPECT_EQ(there_and_back("a\xc3"), "a");
  EXPECT_EQ(there_and_back("a\xe4\xbd"), "a");
  EXPECT_EQ(there_and_back("a\xf0\x9f\x90"), "a");
}

TEST(ByteTokens, AreOnePerByte) { EXPECT_EQ(bytes_as_tokens("\xff\x01"), (std::vector<int32_t>{255, 1})); }

}  // namespace
}  // namespace rockllama::rkllm
