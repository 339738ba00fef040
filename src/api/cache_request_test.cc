#include "api/cache_request.h"

#include <gtest/gtest.h>

namespace rockllama::api {
namespace {

std::string creation_param_of(const std::string& body, ErrorCode code = ErrorCode::kInvalidArgument) {
  const auto call = parse_create_cache(body);
  if (call) return "no error";
  EXPECT_EQ(call.error().code, code) << body;
  return call.error().param;
}

TEST(CacheRequest, ReadsAPromptWithEveryOption) {
  const auto call = parse_create_cache(
      R"({"cache_name":"c","prompt":"p","format":"raw","overwrite":false,"pinned":true,"ttl":60,"stream":true})");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->request.name, "c");
  EXPECT_EQ(call->request.text, "p");
  EXPECT_EQ(call->request.format, CacheFormatChoice::kRaw);
  EXPECT_FALSE(call->request.overwrite);
  EXPECT_EQ(call->request.pinned, true);
  EXPECT_EQ(call->request.ttl_s, 60);
  EXPECT_TRUE(call->stream);
}

TEST(CacheRequest, MakesContentATextCache) {
  const auto call = parse_create_cache(R"({"cache_name":"c","content":"p"})");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->request.text, "p");
  EXPECT_EQ(call->request.format, CacheFormatChoice::kTextOnly);
  EXPECT_TRUE(call->request.overwrite);
  EXPECT_EQ(call->request.pinned, std::nullopt);
}

TEST(CacheRequest, NamesTheBadField) {
  EXPECT_EQ(creation_param_of(R"({"prompt":"p"})"), "cache_name");
  EXPECT_EQ(creation_param_of(R"({"cache_name":1,"prompt":"p"})"), "cache_name");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c"})"), "prompt");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","prompt":""})"), "prompt");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","content":""})"), "content");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","prompt":"p","content":"p"})"), "content");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","prompt":"p","format":"xml"})"), "format");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","prompt":"p","ttl":0})"), "ttl");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","prompt":"p","pinned":1})"), "pinned");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","prompt":"p","parent":"x"})", ErrorCode::kUnsupported), "parent");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","messages":[]})", ErrorCode::kUnsupported), "messages");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","prompt":"p","tools":[]})", ErrorCode::kUnsupported), "tools");
}

TEST(CacheRequest, ReadsGenerateBinary) {
  EXPECT_EQ(parse_generate_binary(R"({"cache_name":"c"})")->prompt, std::nullopt);
  EXPECT_EQ(parse_generate_binary(R"({"cache_name":"c","prompt":"p"})")->prompt, "p");
  EXPECT_EQ(parse_generate_binary(R"({"prompt":"p"})").error().param, "cache_name");
}

}  // namespace
}  // namespace rockllama::api
