#include "cache/cache_names.h"

#include <gtest/gtest.h>

#include "cache/cache_store.h"

namespace rockllama {
namespace {

TEST(CacheNames, CreatedNamesAreShortAndPlain) {
  for (const char* name : {"a", "coding", "A.b_c-9", "0"}) EXPECT_TRUE(valid_cache_name(name)) << name;
  for (const char* name : {"", ".", "..", ".a", "-a", "_a", "a/b", "a b", "a~b", "\xC3\xA4"}) {
    EXPECT_FALSE(valid_cache_name(name)) << name;
  }
  EXPECT_TRUE(valid_cache_name(std::string(64, 'a')));
  EXPECT_FALSE(valid_cache_name(std::string(65, 'a')));
  EXPECT_FALSE(valid_cache_name(std::string("a\0b", 3)));
}

TEST(CacheNames, NamesOfOthersAreUsableWhereTheyAreSafe) {
  for (const char* name : {"two words", "\xC3\xA4", "_x", "-x", "a..b"}) EXPECT_TRUE(usable_cache_name(name)) << name;
  for (const char* name : {"", ".", "..", ".hidden", "a/b", "../a", "a~b"}) EXPECT_FALSE(usable_cache_name(name));
  EXPECT_FALSE(usable_cache_name(std::string("a\0b", 3)));
  EXPECT_FALSE(usable_cache_name(std::string(250, 'a')));
}

TEST(CacheNames, EveryNameThatIsMadeIsReadBack) {
  using Kind = CacheFileKind;
  EXPECT_EQ(parse_cache_file_name(text_file_name("a.b")), (CacheFileName{"a.b", Kind::kText}));
  EXPECT_EQ(parse_cache_file_name(metadata_file_name("a.b")), (CacheFileName{"a.b", Kind::kMetadata}));
  EXPECT_EQ(parse_cache_file_name(new_text_file_name("a.b")), (CacheFileName{"a.b", Kind::kTemporary}));
  EXPECT_EQ(parse_cache_file_name(new_metadata_file_name("a.b")), (CacheFileName{"a.b", Kind::kTemporary}));
  for (const StateFormat format : {StateFormat::kChat, StateFormat::kRaw}) {
    for (const char* engine : {"llama.cpp", "rkllm"}) {
      EXPECT_EQ(parse_cache_file_name(state_file_name("a", format, engine)),
                (CacheFileName{"a", Kind::kState, format, engine}));
      EXPECT_EQ(parse_cache_file_name(bad_state_file_name("a", format, engine)),
                (CacheFileName{"a", Kind::kBadState, format, engine}));
    }
    EXPECT_EQ(parse_cache_file_name(new_state_file_name("a", format, 12)),
              (CacheFileName{"a", Kind::kTemporary, format, "llama.cpp"}));
  }
}

TEST(CacheNames, FollowTheContract) {
  EXPECT_EQ(state_file_name("coding", StateFormat::kChat, "llama.cpp"), "coding.llama_cache");
  EXPECT_EQ(state_file_name("coding", StateFormat::kRaw, "llama.cpp"), "coding~raw.llama_cache");
  EXPECT_EQ(state_file_name("coding", StateFormat::kChat, "rkllm"), "coding.rkllm_cache");
  EXPECT_EQ(bad_state_file_name("coding", StateFormat::kRaw, "llama.cpp"), "coding~raw~bad.llama_cache");
}

TEST(CacheNames, OtherFilesAreNotOurs) {
  for (const char* file : {"", ".bin", ".lock", "notes.txt", "a~b.bin", "a~old.json", "a~newer.llama_cache",
                           "a~new-.llama_cache", "a~new-1x.llama_cache", "~raw.llama_cache", "a~new.bin"}) {
    EXPECT_EQ(parse_cache_file_name(file), std::nullopt) << file;
  }
}

}  // namespace
}  // namespace rockllama
