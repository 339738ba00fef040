#include "api/errors.h"

#include <gtest/gtest.h>

#include "api/api.h"

namespace rockllama::api {
namespace {

TEST(Errors, MapEveryCodeToItsStatus) {
  const std::vector<std::pair<ErrorCode, int>> table = {{ErrorCode::kInvalidArgument, 400},
                                                        {ErrorCode::kUnsupportedContent, 400},
                                                        {ErrorCode::kUnsupported, 400},
                                                        {ErrorCode::kContextLengthExceeded, 400},
                                                        {ErrorCode::kNotFound, 404},
                                                        {ErrorCode::kModelNotFound, 404},
                                                        {ErrorCode::kConflict, 409},
                                                        {ErrorCode::kTooLarge, 413},
                                                        {ErrorCode::kQueueFull, 429},
                                                        {ErrorCode::kUnavailable, 503},
                                                        {ErrorCode::kNoSpace, 507},
                                                        {ErrorCode::kCancelled, 499},
                                                        {ErrorCode::kIo, 500},
                                                        {ErrorCode::kCorrupt, 500},
                                                        {ErrorCode::kInternal, 500}};
  for (const auto& [code, status] : table) EXPECT_EQ(status_of(code), status);
}

TEST(Errors, NameFieldAndCode) {
  EXPECT_EQ(to_text(error_json({ErrorCode::kContextLengthExceeded, "too long", "messages"})),
            R"({"error":{"message":"too long","type":"invalid_request_error","param":"messages",)"
            R"("code":"context_length_exceeded"}})");
}

TEST(Errors, NeverShowAPath) {
  EXPECT_EQ(error_json({ErrorCode::kIo, "cannot open /a/b: no such file"})["error"]["message"],
            "cannot open ... no such file");
  EXPECT_EQ(error_json({ErrorCode::kIo, "at\n#0 main"})["error"]["message"],
            "internal error; the server's log says more");
  EXPECT_EQ(error_json({ErrorCode::kInternal, "the worker died"})["error"]["message"], "the worker died");
  EXPECT_EQ(error_json({ErrorCode::kNotFound, "no model 'a/b'"})["error"]["message"], "no model 'a/b'");
}

TEST(Errors, SayWhenToComeAgain) {
  EXPECT_EQ(error_head({ErrorCode::kUnavailable, "loading"}).headers.at(0).second, "5");
  EXPECT_EQ(error_head({ErrorCode::kQueueFull, "busy", "", 30}).headers.at(0).second, "30");
  EXPECT_TRUE(error_head({ErrorCode::kInternal, "x"}).headers.empty());
}

TEST(Errors, WordTheServersOwn) {
  EXPECT_EQ(error_body(413, "too large"),
            R"({"error":{"message":"too large","type":"invalid_request_error","param":null,"code":null}})");
  EXPECT_EQ(Json::parse(error_body(503, "full"))["error"]["type"], "server_error");
}

}  // namespace
}  // namespace rockllama::api
