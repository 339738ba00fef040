#include "api/client_fields.h"

#include <gmock/gmock.h>

namespace rockllama::api {
namespace {

using testing::HasSubstr;

struct ClientFields {
  CompletionCall call{};
  Error error{.message = "none"};
};

ClientFields read_fields_of_client(const std::string& body) {
  const Json json = Json::parse(body);
  FieldReader fields(json);
  ClientFields read;
  read_client_fields(&fields, &read.call);
  if (fields.error()) read.error = *fields.error();
  return read;
}

TEST(ClientFields, KeepWhatIsEchoedAndWhatKeepsPrefixesTogether) {
  const ClientFields read = read_fields_of_client(R"({"service_tier":"flex","prompt_cache_key":"user-7"})");
  EXPECT_EQ(read.error.message, "none");
  EXPECT_EQ(read.call.service_tier, "flex");
  EXPECT_EQ(read.call.request.prefix_key, "user-7");
  EXPECT_EQ(read_fields_of_client("{}").call.service_tier, "");
}

TEST(ClientFields, MayBeWhateverHasNoEffect) {
  for (const char* body :
       {R"({"metadata":{"a":"b"},"store":true,"user":"me","safety_identifier":"x","verbosity":"low"})",
        R"({"metadata":{"user_id":"4","features":{"web_search":false}},"user":{"name":"x"}})",
        R"({"prompt_cache_retention":"24h","modalities":["text"]})",
        R"({"prediction":{"type":"content","content":"a"}})",
        R"({"prediction":{"type":"content","content":[{"type":"text","text":"a"}]}})",
        R"({"metadata":null,"store":null,"user":null,"service_tier":null,"prediction":null,"modalities":null})"}) {
    EXPECT_EQ(read_fields_of_client(body).error.message, "none") << body;
  }
}

TEST(ClientFields, AreRefusedWithTheirPathsWhereTheyAreBad) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"({"service_tier":"gold"})", "service_tier"},
      {R"({"service_tier":1})", "service_tier"},
      {R"({"service_tier":""})", "service_tier"},
      {R"({"prompt_cache_key":1})", "prompt_cache_key"},
      {R"({"prompt_cache_retention":"1h"})", "prompt_cache_retention"},
      {R"({"store":"yes"})", "store"},
      {R"({"metadata":[]})", "metadata"},
      {R"({"user":1})", "user"},
      {R"({"safety_identifier":1})", "safety_identifier"},
      {R"({"verbosity":"loud"})", "verbosity"},
      {R"({"modalities":"text"})", "modalities"},
      {R"({"modalities":["text","smell"]})", "modalities[1]"},
      {R"({"prediction":{}})", "prediction.type"},
      {R"({"prediction":{"type":"content"}})", "prediction.content"},
      {R"({"prediction":{"type":"content","content":[{"type":"image_url"}]}})", "prediction.content"}};
  for (const auto& [body, path] : cases) {
    const ClientFields read = read_fields_of_client(body);
    EXPECT_EQ(read.error.param, path) << body;
    EXPECT_EQ(read.error.code, ErrorCode::kInvalidArgument) << body;
  }
}

TEST(ClientFields, SayWhichWordsMayBe) {
  EXPECT_THAT(read_fields_of_client(R"({"verbosity":"loud"})").error.message, HasSubstr("low, medium or high"));
}

TEST(ClientFields, CannotAskForSound) {
  const ClientFields read = read_fields_of_client(R"({"modalities":["text","audio"]})");
  EXPECT_EQ(read.error.code, ErrorCode::kUnsupported);
  EXPECT_EQ(read.error.param, "modalities[1]");
}

}  // namespace
}  // namespace rockllama::api
