#include "cli/ttft_probe.h"

#include <gtest/gtest.h>

namespace rockllama {
namespace {

constexpr std::string_view kStream =
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n"
    ": still working\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"cache_hit\":true}}\n\n"
    "data: [DONE]\n\n";

TEST(ChatStreamReader, FirstTextIsNeitherTheRoleNorAComment) {
  ChatStreamReader reader;
  const size_t text = kStream.find("data: {\"choices\":[{\"delta\":{\"content\":\"Hi");
  EXPECT_FALSE(reader.read(kStream.substr(0, text)));
  EXPECT_TRUE(reader.read(kStream.substr(text)));
}

TEST(ChatStreamReader, ReadsTheSameHoweverThePiecesAreCut) {
  for (size_t size = 1; size <= kStream.size(); ++size) {
    ChatStreamReader reader;
    for (size_t i = 0; i < kStream.size(); i += size) reader.read(kStream.substr(i, size));
    EXPECT_TRUE(reader.done());
    EXPECT_EQ(reader.error(), "");
    EXPECT_EQ(reader.prompt_tokens(), 7U);
    EXPECT_TRUE(reader.cache_hit());
  }
}

TEST(ChatStreamReader, KeepsAnErrorEvent) {
  ChatStreamReader reader;
  EXPECT_FALSE(reader.read("data: {\"error\":{\"message\":\"gone\"}}\n\n"));
  EXPECT_EQ(reader.error(), "{\"error\":{\"message\":\"gone\"}}");
}

TEST(ChatStreamReader, TakesWhatIsNoJsonForAnError) {
  ChatStreamReader reader;
  EXPECT_FALSE(reader.read("data: {oh\n"));
  EXPECT_EQ(reader.error(), "{oh");
}

}  // namespace
}  // namespace rockllama
