#include "http/cors.h"

#include <gmock/gmock.h>

namespace rockllama::http {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Pair;

Request request_from(const std::string& origin) {
  Request request{.method = "POST", .path = "/v1/chat/completions"};
  if (!origin.empty()) request.headers.emplace_back("origin", origin);
  return request;
}

TEST(Cors, LetsOnlyPagesOfTheListedOriginsRead) {
  const CorsRules rules{{"https://a.example", "http://localhost:3000"}};
  const Headers headers = cors_headers(rules, request_from("http://localhost:3000"));
  EXPECT_THAT(headers, Contains(Pair("Access-Control-Allow-Origin", "http://localhost:3000")));
  EXPECT_THAT(headers, Contains(Pair("Vary", "Origin")));
  EXPECT_THAT(cors_headers(rules, request_from("https://b.example")), IsEmpty());
  EXPECT_THAT(cors_headers(rules, request_from("")), IsEmpty());
  EXPECT_THAT(cors_headers({}, request_from("https://a.example")), IsEmpty());
}

TEST(Cors, LetsAllPagesReadWhereAStarSaysSo) {
  EXPECT_THAT(cors_headers({{"*"}}, request_from("null")), Contains(Pair("Access-Control-Allow-Origin", "*")));
}

TEST(Cors, AnswersAPreflightWithWhatItAsksFor) {
  Request request = request_from("https://a.example");
  EXPECT_FALSE(is_preflight(request));
  request.method = "OPTIONS";
  EXPECT_FALSE(is_preflight(request));
  request.headers.emplace_back("access-control-request-method", "POST");
  request.headers.emplace_back("access-control-request-headers", "authorization, x-api-key");
  EXPECT_TRUE(is_preflight(request));
  const Headers headers = preflight_headers(request, "GET, POST");
  EXPECT_THAT(headers, Contains(Pair("Access-Control-Allow-Methods", "GET, POST")));
  EXPECT_THAT(headers, Contains(Pair("Access-Control-Allow-Headers", "authorization, x-api-key")));
}

}  // namespace
}  // namespace rockllama::http
