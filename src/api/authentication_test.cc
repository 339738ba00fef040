#include "api/authentication.h"

#include <gmock/gmock.h>

#include "tests/support/recording_writer.h"

namespace rockllama::api {
namespace {

using ::testing::HasSubstr;

struct Asked {
  bool passes;
  std::string caller;
  RecordingWriter writer;
};

Asked ask(std::vector<std::pair<std::string, std::string>> headers) {
  const auto keys = ApiKeys::make({{"ann", "k1"}, {"bob", "k2"}}, "secret");
  http::Request request{.method = "GET", .path = "/v1/models", .headers = std::move(headers)};
  Asked asked;
  asked.passes = require_key(&*keys)(request, asked.writer);
  asked.caller = request.caller;
  return asked;
}

TEST(Authentication, TakesBothHeaders) {
  EXPECT_EQ(ask({{"authorization", "Bearer k1"}}).caller, "ann");
  EXPECT_EQ(ask({{"authorization", "bearer  k2"}}).caller, "bob");
  EXPECT_EQ(ask({{"x-api-key", "k2"}}).caller, "bob");
  EXPECT_EQ(ask({{"authorization", "Bearer none"}, {"x-api-key", "k1"}}).caller, "ann");
}

TEST(Authentication, AnswersEverybodyElse) {
  for (const char* header : {"", "k1", "Bearer", "Bearer ", "Bearer k3", "Basic k1", "Bearer k1 k2"}) {
    const Asked asked = ask({{"authorization", header}});
    EXPECT_FALSE(asked.passes) << header;
    EXPECT_EQ(asked.writer.head.status, 401);
    EXPECT_EQ(asked.writer.header("WWW-Authenticate"), "Bearer");
    EXPECT_THAT(asked.writer.bytes, HasSubstr(R"("code":"invalid_api_key")"));
  }
}

}  // namespace
}  // namespace rockllama::api
