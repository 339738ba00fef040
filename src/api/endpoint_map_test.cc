#include "api/endpoint_map.h"

#include <gmock/gmock.h>

namespace rockllama::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Endpoint kCoding{.path = "/api/code", .model = "m", .cache = "code"};

CompletionRequest filled(CompletionRequest request) {
  fill_in(kCoding, &request);
  return request;
}

TEST(EndpointMap, FillsInModelAndCacheWhereTheRequestNamesNone) {
  const CompletionRequest request = filled({});
  EXPECT_EQ(request.model, "m");
  EXPECT_THAT(request.use_cache, ElementsAre("code"));
}

TEST(EndpointMap, TheRequestsOwnModelAndCacheWin) {
  const CompletionRequest request = filled({.model = "n", .use_cache = {"mine"}});
  EXPECT_EQ(request.model, "n");
  EXPECT_THAT(request.use_cache, ElementsAre("mine"));
  EXPECT_THAT(filled({.model = "n"}).use_cache, ElementsAre("code"));
}

TEST(EndpointMap, AnAliasAndANullNameACacheToo) {
  EXPECT_THAT(filled({.model = "m@mine"}).use_cache, IsEmpty());
  EXPECT_THAT(filled({.use_cache_problem = "use_cache is null"}).use_cache, IsEmpty());
}

TEST(EndpointMap, AddsItsPathsForPostAlone) {
  http::Router router;
  EXPECT_THAT(add_endpoint_map(router, {}, {kCoding, {.path = "/b", .kind = Endpoint::Kind::kCompletion}}), IsEmpty());
  EXPECT_NE(router.match("POST", "/api/code").handler, nullptr);
  EXPECT_EQ(router.match("GET", "/api/code").allowed, "POST");
  EXPECT_NE(router.match("POST", "/b").handler, nullptr);
}

TEST(EndpointMap, NamesEveryPathThatIsTaken) {
  http::Router router;
  add_all(router, {});
  EXPECT_THAT(add_endpoint_map(router, {}, {{.path = "/health"}, kCoding, {.path = "/ready"}}),
              ElementsAre(HasSubstr("endpoints./health: "), HasSubstr("endpoints./ready: ")));
  EXPECT_NE(router.match("POST", "/api/code").handler, nullptr);
}

}  // namespace
}  // namespace rockllama::api
