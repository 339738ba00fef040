#include "api/model_json.h"

#include <gtest/gtest.h>

#include "api/completion_log.h"

namespace rockllama::api {
namespace {

const std::vector<ModelStatus> kModels = {
    {.name = "a", .filename = "a.gguf", .path = "a/a.gguf", .size_bytes = 1048576, .modified_at = 7.5, .caches = {"c"}},
    {.name = "b", .filename = "b.gguf", .path = "b/b.gguf", .loaded = true}};

TEST(ModelJson, ListsModelsAndTheirAliases) {
  EXPECT_EQ(to_text(model_list_json(kModels)),
            R"({"object":"list","data":[{"id":"a","object":"model","created":7,"owned_by":"rockllama"},)"
            R"({"id":"a@c","object":"model","created":7,"owned_by":"rockllama"},)"
            R"({"id":"b","object":"model","created":0,"owned_by":"rockllama"}]})");
}

TEST(ModelJson, ListsWhatIsAvailable) {
  EXPECT_EQ(to_text(available_models_json(kModels)),
            R"({"models":[{"name":"a","filename":"a.gguf","path":"a/a.gguf","size_mb":1.0,"loaded":false},)"
            R"({"name":"b","filename":"b.gguf","path":"b/b.gguf","size_mb":0.0,"loaded":true}],"total":2,)"
            R"("loaded_model":"b"})");
}

TEST(ModelJson, SaysWhatIsLoaded) {
  EXPECT_EQ(to_text(loaded_models_json({.loaded = {"a"}})), R"({"loaded":true,"model_name":"a","models":["a"]})");
  EXPECT_EQ(to_text(loaded_models_json({})), R"({"loaded":false,"model_name":null,"models":[]})");
}

TEST(ModelJson, TakesNoBodyAsNoName) {
  EXPECT_EQ(parse_model_name(""), "");
  EXPECT_EQ(parse_model_name("{}"), "");
  EXPECT_EQ(parse_model_name(R"({"model":"a"})"), "a");
  EXPECT_EQ(parse_model_name(R"({"model":1})").error().param, "model");
}

TEST(CompletionLog, IsOneLineWhateverClientsWrite) {
  CompletionLog log{.request_id = "r", .caller = "1.2.3.4", .model = "m\n2", .prompt_tokens = 50};
  log.cache = {.name = "c", .tier = CacheTier::kDisk, .tokens = 40};
  log.completion_tokens = 2;
  EXPECT_EQ(
      log_line(log),
      "request r caller=1.2.3.4 model=m?2 cache=c hit disk prompt=50 cached=40 completion=2 ttft=0.0 ms total=0.0 ms "
      "tokens/s=0.0 status=200");
  log.cache = {.reason = "no such cache"};
  log.status = 500;
  log.error = "died";
  EXPECT_TRUE(log_line(log).find("cache=- no hit (no such cache)") != std::string::npos);
  EXPECT_TRUE(log_line(log).ends_with("status=500 error: died"));
}

}  // namespace
}  // namespace rockllama::api
