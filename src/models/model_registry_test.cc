#include "models/model_registry.h"

#include <gmock/gmock.h>

#include "models/file_hash_memo.h"
#include "models/model_files.h"
#include "models/model_overrides.h"
#include "tests/support/memory_file_system.h"

namespace rockllama {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ModelFiles, TheFirstOfAKindServesAndRkllmWins) {
  EXPECT_EQ(choose_model_file({"b.gguf", "c.gguf"}, false)->name, "b.gguf");
  EXPECT_THAT(choose_model_file({"b.gguf", "c.gguf"}, false)->others, ElementsAre("c.gguf"));
  EXPECT_EQ(choose_model_file({"a.gguf", "z.rkllm"}, false)->engine, EngineKind::kRkllm);
}

TEST(ModelFiles, TheTokenizerIsNoModelAndScriptsOnlyWhereAllowed) {
  EXPECT_FALSE(choose_model_file({"tokenizer.gguf", "x.script", "notes.txt"}, false));
  EXPECT_EQ(choose_model_file({"tokenizer.gguf", "x.script"}, true)->engine, EngineKind::kScripted);
}

class ModelRegistryTest : public ::testing::Test {
 protected:
  ModelRegistry registry(bool allow_scripted = false) {
    return {&files, "models", "cache/memo.json", ModelSpec{.parallel = 3}, allow_scripted};
  }
  std::vector<std::string> names() {
    std::vector<std::string> result;
    for (const ModelEntry& entry : registry().scan()) result.push_back(entry.spec.name);
    return result;
  }
  MemoryFileSystem files;
};

TEST_F(ModelRegistryTest, IsEmptyWithoutAFolder) {
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_EQ(registry().find("m").error().code, ErrorCode::kModelNotFound);
}

TEST_F(ModelRegistryTest, NamesAModelAfterItsFolder) {
  files.put("models/m/any-name.gguf", "weights");
  files.put("models/stray.gguf", "weights");
  files.put("models/a@b/x.gguf", "weights");
  files.put("models/empty/readme.txt", "");
  EXPECT_THAT(names(), ElementsAre("m"));
  const auto entry = registry().find("m");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->path, "m/any-name.gguf");
  EXPECT_EQ(entry->size_bytes, 7u);
  EXPECT_EQ(entry->spec.parallel, 3u);
}

TEST_F(ModelRegistryTest, NoticesFoldersThatComeAndGo) {
  ModelRegistry same = registry();
  files.put("models/m/m.gguf", "weights");
  EXPECT_EQ(same.scan().size(), 1u);
  ASSERT_TRUE(files.remove("models/m/m.gguf"));
  EXPECT_EQ(same.scan().size(), 0u);
}

TEST_F(ModelRegistryTest, NeverTakesAPathForAName) {
  files.put("models/m/m.gguf", "weights");
  for (const char* name : {"", ".", "..", "../models/m", "m/", "m/../m"}) {
    EXPECT_EQ(registry().find(name).error().code, ErrorCode::kModelNotFound) << name;
  }
  EXPECT_THAT(registry().find("x").error().message, HasSubstr("there are: m"));
}

TEST_F(ModelRegistryTest, TakesSettingsAndTemplateFromTheFolder) {
  files.put("models/m/m.gguf", "weights");
  files.put("models/m/tokenizer.gguf", "vocabulary");
  files.put("models/m/chat_template.jinja", "{{ messages }}");
  files.put("models/m/model.json", R"({"parallel": 2, "keep_alive_s": 5, "sampling": {"temperature": 0.5}})");
  const auto entry = registry().find("m");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->spec.parallel, 2u);
  EXPECT_EQ(entry->keep_alive_s, 5);
  EXPECT_EQ(entry->spec.sampling_defaults.temperature, 0.5F);
  EXPECT_EQ(entry->spec.chat_template, "{{ messages }}");
  EXPECT_EQ(entry->spec.tokenizer_file, "models/m/tokenizer.gguf");
}

TEST_F(ModelRegistryTest, LeavesOutAModelWithBadSettings) {
  files.put("models/m/m.gguf", "weights");
  files.put("models/m/model.json", R"({"parallel": 0})");
  EXPECT_THAT(names(), IsEmpty());
}

TEST(ModelOverrides, ReportEveryFaultWithItsPath) {
  ModelEntry entry;
  const OverrideReport report =
      apply_overrides(R"({"parallel": "x", "colour": 1, "notes": 1, "sampling": {"top_p": 2, "size": 3}})", &entry);
  EXPECT_THAT(report.errors, ElementsAre(HasSubstr("parallel: must be"), HasSubstr("sampling.top_p: must be")));
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr("colour"), HasSubstr("sampling.size")));
}

TEST(ModelOverrides, RefuseWhatIsNoObjectAndSurviveDeepNesting) {
  ModelEntry entry;
  for (const std::string& text : {std::string("[]"), std::string("{"), std::string(),
                                  R"({"sampling": )" + std::string(100'000, '[') + std::string(100'000, ']') + "}"}) {
    EXPECT_FALSE(apply_overrides(text, &entry).errors.empty());
  }
}

TEST(FileHashMemo, KeepsHashesBetweenRunsUntilTheFileChanges) {
  MemoryFileSystem files;
  files.put("m.gguf", "weights");
  files.put("memo.json", "{ damaged");
  const auto first = FileHashMemo(&files, "memo.json").hash("m.gguf");
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, to_hex(hash_bytes("weights")));
  EXPECT_THAT(*files.read("memo.json", 1 << 20), HasSubstr(*first));
  EXPECT_EQ(*FileHashMemo(&files, "memo.json").hash("m.gguf"), *first);
  files.put("m.gguf", "other weights");
  EXPECT_NE(*FileHashMemo(&files, "memo.json").hash("m.gguf"), *first);
}

}  // namespace
}  // namespace rockllama
