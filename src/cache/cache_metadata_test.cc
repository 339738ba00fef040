#include "cache/cache_metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json_depth.h"

namespace rockllama {
namespace {

using testing::HasSubstr;

StateRecord state_record(StateFormat format) {
  return {.engine = "llama.cpp",
          .format = format,
          .file = format == StateFormat::kRaw ? "coding~raw.llama_cache" : "coding.llama_cache",
          .size = 123456,
          .checksum = {1, 2},
          .generation = 3,
          .tokens = 316,
          .token_hash = {3, 4},
          .cuts = {60, 316},
          .fingerprint = "f00d",
          .created_at = 1763719200.25,
          .modified_at = 1763719300.5,
          .note = "the template folds \"the\" text",
          .prefill_ms = 1234.5,
          .first_token_ms = 1300};
}

CacheMetadata metadata() {
  CacheMetadata metadata{.cache_name = "coding",
                         .model_name = "demo",
                         .created_at = 1763719200.25,
                         .modified_at = 1763719300.5,
                         .last_used_at = 1763719400,
                         .hits = 7,
                         .content_length = 11,
                         .source = "api",
                         .parent = "system",
                         .pinned = true,
                         .expires_at = 1.5e10,
                         .generation = 3,
                         .text_hash = hash_bytes("text"),
                         .text_file = {.inode = 5, .size = 4, .mtime_ns = -6}};
  metadata.states = {state_record(StateFormat::kChat), state_record(StateFormat::kRaw)};
  metadata.states[1].status = StateStatus::kQuarantined;
  metadata.states[1].reason = "damaged";
  metadata.states[1].counted_tokens = 80;
  metadata.content = "text\n\"\xC3\xA4\"";
  return metadata;
}

MetadataFile whole_file() {
  MetadataFile file{.current = metadata(), .pending = PendingCommit{metadata()}};
  file.current->others = R"({"ours":{"deep":[1,2.5,null]}})";
  file.pending->next.generation = 4;
  file.pending->files = {{"coding~new.text", "coding.bin", Hash128{1, 1}, {2, 2}},
                         {"coding~new-1.llama_cache", "coding.llama_cache", std::nullopt, {3, 3}}};
  return file;
}

TEST(CacheMetadata, RoundTrips) {
  const MetadataFile file = whole_file();
  EXPECT_EQ(parse_metadata(serialise_metadata(file)), file);
}

TEST(CacheMetadata, RoundTripsWithoutACurrentState) {
  MetadataFile file = whole_file();
  file.current.reset();
  EXPECT_EQ(parse_metadata(serialise_metadata(file)), file);
}

TEST(CacheMetadata, ReadsWhatThePythonServerWrites) {
  const auto file = parse_metadata(
      R"({"cache_name":"coding","model_name":"demo","created_at":1700000000,"content_length":4,"source":"x.txt"})");
  ASSERT_TRUE(file && file->current);
  EXPECT_EQ(file->current->source, "x.txt");
  EXPECT_EQ(file->current->created_at, 1.7e9);
  EXPECT_EQ(file->current->generation, 0U);
  EXPECT_FALSE(file->damaged);
}

TEST(CacheMetadata, KeepsFieldsThatItDoesNotKnow) {
  const auto file = parse_metadata(R"({"cache_name":"a","colour":"blue","more":{"x":[1]}})");
  ASSERT_TRUE(file);
  const std::string written = serialise_metadata(*file);
  EXPECT_THAT(written, HasSubstr("blue"));
  EXPECT_THAT(written, HasSubstr("\"more\""));
}

TEST(CacheMetadata, FieldsOfAnotherTypeCountAsMissing) {
  const auto file =
      parse_metadata(R"({"cache_name":7,"hits":-1,"pinned":"yes","created_at":"now","text_hash":"xyz","states":{}})");
  ASSERT_TRUE(file && file->current);
  EXPECT_EQ(file->current->hits, 0U);
  EXPECT_FALSE(file->current->pinned);
  EXPECT_FALSE(file->current->text_hash);
  EXPECT_TRUE(file->damaged);
}

TEST(CacheMetadata, RefusesWhatIsNoJsonObject) {
  for (const char* text : {"", " ", "null", "[]", "7", "{", "{\"a\":1e999}", "{} {}", "\xFF"}) {
    EXPECT_EQ(parse_metadata(text).error().code, ErrorCode::kCorrupt) << text;
  }
}

TEST(CacheMetadata, LimitsTheDepth) {
  const auto nested = [](int depth) {
    return "{\"a\":" + std::string(static_cast<size_t>(depth) - 1, '[') +
           std::string(static_cast<size_t>(depth) - 1, ']') + "}";
  };
  EXPECT_TRUE(parse_metadata(nested(kMaxJsonDepth)));
  EXPECT_FALSE(parse_metadata(nested(kMaxJsonDepth + 1)));
  EXPECT_FALSE(parse_metadata(nested(1'000'000)));
  EXPECT_TRUE(parse_metadata(R"({"a":"\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["})"));
}

TEST(CacheMetadata, StatesWhoseEntryChangedAreStale) {
  std::string text = serialise_metadata({.current = metadata()});
  text.replace(text.find("\"tokens\": 316"), 13, "\"tokens\": 317");
  const auto file = parse_metadata(text);
  ASSERT_TRUE(file && file->current);
  ASSERT_EQ(file->current->states.size(), 2U);
  EXPECT_EQ(file->current->states[0].status, StateStatus::kStale);
  EXPECT_EQ(file->current->states[1].status, StateStatus::kQuarantined);
  EXPECT_TRUE(file->damaged);
}

TEST(CacheMetadata, WritesBytesThatAreNoUtf8) {
  CacheMetadata odd = metadata();
  odd.content = "a\xFF";
  EXPECT_TRUE(parse_metadata(serialise_metadata({.current = odd})));
}

TEST(CacheMetadata, NoTruncationReadsAsWhole) {
  const std::string text = serialise_metadata(whole_file());
  for (size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_FALSE(parse_metadata(std::string_view(text).substr(0, size))) << size;
  }
}

// Whatever else a flipped byte does: no state is offered with an entry that is not the one written.
TEST(CacheMetadata, NoFlippedByteChangesAStateThatStaysReady) {
  const std::string text = serialise_metadata({.current = metadata()});
  for (size_t i = 0; i < text.size(); ++i) {
    std::string flipped = text;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
    const auto file = parse_metadata(flipped);
    if (!file || !file->current) continue;
    for (const StateRecord& state : file->current->states) {
      if (state.status == StateStatus::kReady) {
        EXPECT_EQ(state, metadata().states[0]) << i;
      }
    }
    MetadataFile kept = *file;
    kept.damaged = false;
    EXPECT_EQ(parse_metadata(serialise_metadata(kept)), kept) << i;
  }
}

}  // namespace
}  // namespace rockllama
