#include "cli/api_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/server_access.h"

namespace rockllama {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr double kNow = 1'800'000'000;

ApiJson sample_info() {
  return {{"cache_name", "coding"},
          {"model_name", "demo"},
          {"created_at", kNow - 7200},
          {"modified_at", kNow - 7200},
          {"last_used_at", nullptr},
          {"hits", 3},
          {"prompt_tokens", 351},
          {"size_mb", 7.72},
          {"binary", {{{"format", "chat"}, {"status", "stale"}, {"reason", "the text was edited"}}}},
          {"parent", "house"},
          {"pinned", true},
          {"expires_at", kNow + 3600},
          {"content", "You are\033[2J careful.\n"}};
}

TEST(ApiText, ShowsACacheInOneLine) {
  EXPECT_EQ(caches_text({sample_info()}, kNow),
            "MODEL  NAME    TOKENS     SIZE  STATES      HITS  USED   CHANGED  NOTES\n"
            "demo   coding     351  7.72 MB  chat stale     3  never  2 h ago  pinned, continues house, ends in 1 h\n");
}

TEST(ApiText, ShowsACacheWithItsTextAndTheReasonsOfItsStates) {
  const std::string text = cache_text(sample_info(), kNow);
  EXPECT_THAT(text, HasSubstr("state       chat stale: the text was edited\n"));
  EXPECT_THAT(text, HasSubstr("You are?[2J careful.\n"));
}

TEST(ApiText, CutsALongTextBetweenCharacters) {
  ApiJson info = sample_info();
  std::string content = "x";
  for (int i = 0; i < 1000; ++i) content += "ü";
  info["content"] = content;
  const std::string text = cache_text(info, kNow);
  EXPECT_THAT(text, HasSubstr("ü\n... (--json shows all of it)"));
  EXPECT_LT(text.size(), 900u);
}

TEST(ApiText, TakesAnyJson) {
  for (const ApiJson& json : {ApiJson(), ApiJson(5), ApiJson::array(), ApiJson{{"binary", 5}, {"size_mb", "x"}}}) {
    EXPECT_THAT(caches_text({json}, kNow), HasSubstr("text only"));
    EXPECT_THAT(models_text({json}), HasSubstr("0.00 MB"));
    EXPECT_EQ(error_words(json), "");
  }
}

TEST(ApiText, SaysWhatToDoWhereThereIsNothing) {
  EXPECT_THAT(caches_text({}, kNow), HasSubstr("cache create"));
  EXPECT_THAT(models_text({}), HasSubstr("models/NAME"));
}

TEST(ApiText, GivesTheServersOwnWords) {
  const auto refused = answer_json(http::ClientResponse{404, R"({"error": {"message": "there is no cache 'x'"}})"});
  EXPECT_EQ(refused.error().message, "there is no cache 'x'");
  EXPECT_THAT(answer_json(http::ClientResponse{502, "<html>"}).error().message, HasSubstr("502"));
  EXPECT_FALSE(answer_json(http::ClientResponse{200, std::string(100'000, '[')}));
}

TEST(ApiText, EncodesWhatIsNoPlainName) {
  EXPECT_EQ(percent_encoded("a/b c?ü"), "a%2Fb%20c%3F%C3%BC");
  EXPECT_EQ(percent_encoded("A-z_0.9~"), "A-z_0.9~");
}

TEST(ServerAccess, ReadsAnAddress) {
  EXPECT_EQ(parse_url("http://127.0.0.1:9000/v1/")->port, 9000);
  EXPECT_EQ(parse_url("http://board")->host, "board");
  EXPECT_EQ(parse_url("http://board")->port, 80);
  EXPECT_EQ(parse_url("http://[::1]:8080")->host, "::1");
  for (const char* url : {"", "board:80", "https://board", "http://", "http://board:x", "http://board:99999",
                          "http://board/path", "http://user@board"}) {
    EXPECT_FALSE(parse_url(url)) << url;
  }
}

}  // namespace
}  // namespace rockllama
