#include "http/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/recording_writer.h"

namespace rockllama::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Router router_of(std::vector<std::pair<std::string, std::string>> routes, std::string* called) {
  Router router;
  for (const auto& [method, pattern] : routes) {
    router.add(method, pattern, [called, text = method + " " + pattern](auto, auto) { *called = text; });
  }
  return router;
}

std::string handler_for(const Router& router, std::string_view method, std::string_view path, std::string* called) {
  const auto match = router.match(method, path);
  called->clear();
  if (match.handler != nullptr) (*match.handler)(nullptr, nullptr);
  return *called;
}

TEST(Router, AsksTheGuardBeforeTheHandlersThatWereAddedAfterIt) {
  std::string called;
  Router router;
  const Handler handler = [&](auto, auto) { called += "handler "; };
  router.add("GET", "/open", handler);
  bool lets_pass = false;
  router.set_guard([&](Request&, BodyWriter&) {
    called += "guard ";
    return lets_pass;
  });
  router.add("GET", "/closed", handler);
  const auto ask = [&](const char* path) {
    called.clear();
    (*router.match("GET", path).handler)(std::make_shared<Request>(), std::make_shared<api::RecordingWriter>());
    return called;
  };
  EXPECT_EQ(ask("/open"), "handler ");
  EXPECT_EQ(ask("/closed"), "guard ");
  lets_pass = true;
  EXPECT_EQ(ask("/closed"), "guard handler ");
}

TEST(Router, PrefersLiteralSegmentsInAnyOrderOfRegistration) {
  std::string called;
  const auto router = router_of({{"GET", "/m/{id}"}, {"GET", "/m/loaded"}, {"GET", "/m/available"}}, &called);
  EXPECT_EQ(handler_for(router, "GET", "/m/loaded", &called), "GET /m/loaded");
  EXPECT_EQ(handler_for(router, "GET", "/m/other", &called), "GET /m/{id}");
}

TEST(Router, DecodesPlaceholders) {
  std::string called;
  const auto router = router_of({{"GET", "/v1/cache/{model}/{name}"}}, &called);
  EXPECT_THAT(router.match("GET", "/v1/cache/a%40b/x%2Fy").path_values,
              ElementsAre(Pair("model", "a@b"), Pair("name", "x/y")));
}

TEST(Router, RefusesEmptyAndMissingSegments) {
  std::string called;
  const auto router = router_of({{"GET", "/v1/cache/{model}"}, {"GET", "/"}}, &called);
  EXPECT_EQ(handler_for(router, "GET", "/v1/cache/", &called), "");
  EXPECT_EQ(handler_for(router, "GET", "/v1/cache", &called), "");
  EXPECT_EQ(handler_for(router, "GET", "/v1/cache/a/b", &called), "");
  EXPECT_EQ(handler_for(router, "GET", "/", &called), "GET /");
}

TEST(Router, SaysWhichMethodsAPathHas) {
  std::string called;
  const auto router = router_of({{"GET", "/a"}, {"POST", "/a"}}, &called);
  EXPECT_EQ(router.match("DELETE", "/a").handler, nullptr);
  EXPECT_EQ(router.match("DELETE", "/a").allowed, "GET, POST");
  EXPECT_THAT(router.match("DELETE", "/b").allowed, IsEmpty());
}

TEST(Router, AnswersHeadByGet) {
  std::string called;
  const auto router = router_of({{"GET", "/a"}}, &called);
  EXPECT_EQ(handler_for(router, "HEAD", "/a", &called), "GET /a");
}

}  // namespace
}  // namespace rockllama::http
