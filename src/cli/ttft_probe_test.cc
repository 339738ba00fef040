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
    EXPECT_EQ(reader.reuse(), Reuse::kYes);
  }
}

TEST(ChatStreamReader, TellsAReuseThatTheRuntimeDoesNotShowFromNone) {
  const auto reuse_with = [](const std::string& reason) {
    ChatStreamReader reader;
    reader.read("data: {\"choices\":[],\"usage\":{\"cache_hit\":false,\"cache\":{\"reason\":" + reason + "}}}\n");
    return reader.reuse();
  };
  EXPECT_EQ(reuse_with("\"unverified: this runtime reports no prefill count\""), Reuse::kUnverified);
  EXPECT_EQ(reuse_with("\"the cache has no state\""), Reuse::kNo);
  EXPECT_EQ(reuse_with("null"), Reuse::kNo);
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
