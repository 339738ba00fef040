#include "api/cache_json.h"

#include <gtest/gtest.h>

#include "api/cache_responder.h"
#include "tests/support/recording_writer.h"

namespace rockllama::api {
namespace {

const CacheCreated kCreated{.model = "m",
                            .name = "c",
                            .size_bytes = 13107200,
                            .ttft_ms = 1.26,
                            .prompt_tokens = 365,
                            .binary = true,
                            .states = {StateFormat::kChat, StateFormat::kRaw},
                            .message = "made"};
constexpr const char* kCreatedText =
    R"({"object":"cache.created","model":"m","cache_name":"c","size_mb":12.5,"ttft_ms":1.3,"prompt_tokens":365,)"
    R"("message":"made","binary":true,"states":["chat","raw"]})";

TEST(CacheJson, ShowsEveryFieldOfACache) {
  CacheInfo info{.cache_name = "c", .model_name = "m", .created_at = 1.5, .modified_at = 2, .hits = 3};
  info.size_bytes = 10486;
  info.source = "api";
  info.binary = {
      {.engine = "llama.cpp", .size_bytes = 1048576, .tokens = 5, .status = StateStatus::kStale, .reason = "r"}};
  EXPECT_EQ(to_text(cache_info_json(info)),
            R"({"cache_name":"c","model_name":"m","created_at":1.5,"modified_at":2.0,"last_used_at":null,"hits":3,)"
            R"("content_length":0,"prompt_tokens":0,"size_mb":0.01,"source":"api","has_text":false,"has_binary":false,)"
            R"("binary":[{"engine":"llama.cpp","format":"chat","size_mb":1.0,"tokens":5,"created_at":0.0,)"
            R"("modified_at":0.0,"status":"stale","reason":"r"}],"parent":null,"pinned":false,"expires_at":null})");
}

TEST(CacheJson, CallsOnlyAStateASuccessOfGenerateBinary) {
  EXPECT_EQ(
      to_text(binary_created_json(kCreated)),
      R"({"object":"binary_cache.created","model":"m","cache_name":"c","size_mb":12.5,"ttft_ms":1.3,"message":"made"})");
  CacheCreated failed = kCreated;
  failed.binary = false;
  failed.states.clear();
  failed.warning = "w";
  const auto json = binary_created_json(failed);
  EXPECT_EQ(json["object"], "cache.created");
  EXPECT_EQ(json["binary"], false);
  EXPECT_EQ(json["warning"], "w");
}

TEST(CacheResponder, AnswersWhole) {
  const auto writer = std::make_shared<RecordingWriter>();
  CacheResponder(writer, cache_created_json).on_created(kCreated, false);
  EXPECT_EQ(writer->bytes, kCreatedText);
}

TEST(CacheResponder, StreamsProgressAndTheResult) {
  const auto writer = std::make_shared<RecordingWriter>();
  CacheResponder responder(writer, cache_created_json);
  responder.on_progress({StateFormat::kChat, 256, 365});
  responder.on_created(kCreated, true);
  EXPECT_EQ(writer->bytes, std::string(R"(data: {"object":"cache.progress","format":"chat","done":256,"total":365})") +
                               "\n\ndata: " + kCreatedText + "\n\ndata: [DONE]\n\n");
  EXPECT_TRUE(writer->finished);
}

TEST(CacheResponder, AnswersAnEarlyErrorWithItsStatus) {
  const auto writer = std::make_shared<RecordingWriter>();
  CacheResponder(writer, cache_created_json).on_created(fail(ErrorCode::kConflict, "exists"), true);
  EXPECT_EQ(writer->head.status, 409);
  EXPECT_FALSE(writer->begun);
}

}  // namespace
}  // namespace rockllama::api
