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
  EXPECT_EQ(call->content, CacheContent{.text = "p"});
  EXPECT_EQ(call->request.format, CacheFormatChoice::kRaw);
  EXPECT_FALSE(call->request.overwrite);
  EXPECT_EQ(call->request.pinned, true);
  EXPECT_EQ(call->request.ttl_s, 60);
  EXPECT_TRUE(call->stream);
}

TEST(CacheRequest, MakesContentATextCache) {
  const auto call = parse_create_cache(R"({"cache_name":"c","content":"p"})");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->content, CacheContent{.text = "p"});
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
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","prompt":"p","parent":""})"), "parent");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","prompt":"p","parent":1})"), "parent");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","prompt":"p","messages":[{"role":"user","content":"x"}]})"),
            "messages");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","messages":[]})"), "messages");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","messages":[{"role":"user","content":1}]})"), "messages[0].content");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","messages":[{"role":"user","content":"x"}],"format":"raw"})"),
            "format");
}

TEST(CacheRequest, NamesTheBadFieldOfATool) {
  const auto param_of = [](const std::string& tools) {
    return creation_param_of(R"({"cache_name":"c","tools":)" + tools + "}");
  };
  EXPECT_EQ(param_of("[]"), "tools");
  EXPECT_EQ(param_of("{}"), "tools");
  EXPECT_EQ(param_of("[1]"), "tools[0]");
  EXPECT_EQ(param_of(R"([{"function":{"name":"a"}}])"), "tools[0].type");
  EXPECT_EQ(param_of(R"([{"type":"web","function":{"name":"a"}}])"), "tools[0].type");
  EXPECT_EQ(param_of(R"([{"type":"function"}])"), "tools[0].function");
  EXPECT_EQ(param_of(R"([{"type":"function","function":"a"}])"), "tools[0].function");
  EXPECT_EQ(param_of(R"([{"type":"function","function":{}}])"), "tools[0].function.name");
  EXPECT_EQ(param_of(R"([{"type":"function","function":{"name":""}}])"), "tools[0].function.name");
  EXPECT_EQ(param_of(R"([{"type":"function","function":{"name":"a","description":1}}])"),
            "tools[0].function.description");
  EXPECT_EQ(param_of(R"([{"type":"function","function":{"name":"a","parameters":"{}"}}])"),
            "tools[0].function.parameters");
  const std::string one = R"({"type":"function","function":{"name":"a"}})";
  EXPECT_EQ(param_of("[" + one + "," + one + "]"), "tools[1].function.name");
  EXPECT_EQ(creation_param_of(R"({"cache_name":"c","content":"p","tools":[)" + one + "]}"), "tools");
}

TEST(CacheRequest, ReadsMessagesToolsAndParent) {
  const auto call = parse_create_cache(
      R"({"cache_name":"c","parent":"p","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function",)"
      R"("function":{"name":"a","description":"d","parameters":{"type":"object"}}}]})");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->request.parent, "p");
  EXPECT_EQ(call->content, (CacheContent{.messages = {{"user", "x"}}, .tools = {{"a", "d", R"({"type":"object"})"}}}));
}

TEST(CacheRequest, MakesAPromptBesideToolsTheSystemMessage) {
  const auto call = parse_create_cache(
      R"({"cache_name":"c","prompt":"Be brief.","tools":[{"type":"function","function":{"name":"a"}}]})");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->content, (CacheContent{.messages = {{"system", "Be brief."}}, .tools = {{"a"}}}));
}

TEST(CacheRequest, ReadsGenerateBinary) {
  EXPECT_EQ(parse_generate_binary(R"({"cache_name":"c"})")->prompt, std::nullopt);
  EXPECT_EQ(parse_generate_binary(R"({"cache_name":"c","prompt":"p"})")->prompt, "p");
  EXPECT_EQ(parse_generate_binary(R"({"prompt":"p"})").error().param, "cache_name");
}

}  // namespace
}  // namespace rockllama::api
