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

TEST(ModelFiles, TheContextStandsInTheName) {
  EXPECT_EQ(context_in_name("Qwen3-0.6B_W8A8_RK3588_ctx4096.rkllm"), 4096u);
  EXPECT_EQ(context_in_name("ctx-ctx512-opt1.rkllm"), 512u);
  for (const char* name : {"m.rkllm", "ctx.rkllm", "ctx0.rkllm", "ctx99999999999999999999.rkllm", "ctx-5.rkllm"}) {
    EXPECT_EQ(context_in_name(name), 0u) << name;
  }
}

TEST(ModelFiles, TheOnlyAdapterServesUnlessOneIsNamed) {
  EXPECT_EQ(*choose_adapter({"a.rkllm", "notes.txt"}, ""), "a.rkllm");
  EXPECT_EQ(*choose_adapter({"a.rkllm", "b.rkllm"}, ""), "");
  EXPECT_EQ(*choose_adapter({"a.rkllm", "b.rkllm"}, "b"), "b.rkllm");
  EXPECT_EQ(choose_adapter({"a.rkllm"}, "c").error().code, ErrorCode::kNotFound);
}

TEST_F(ModelRegistryTest, LowersTheContextToThatOfTheRkllmFileUnlessModelJsonSaysOtherwise) {
  files.put("models/m/m_ctx2048.rkllm", "weights");
  files.put("models/m/m.gguf", "weights");
  const auto with_context = [&](uint32_t tokens) {
    return ModelRegistry(&files, "models", "memo.json", ModelSpec{.context_tokens = tokens}, false).find("m")->spec;
  };
  EXPECT_EQ(with_context(0).context_tokens, 2048u);
  EXPECT_EQ(with_context(8192).context_tokens, 2048u);
  EXPECT_EQ(with_context(512).context_tokens, 512u);
  files.put("models/m/model.json", R"({"context_tokens": 4096, "parallel": 4})");
  EXPECT_EQ(with_context(0).context_tokens, 4096u);
  EXPECT_EQ(with_context(0).parallel, 1u);
}

TEST_F(ModelRegistryTest, TakesRkllmSettingsAndTheAdapterFromTheFolder) {
  files.put("models/m/m.rkllm", "weights");
  files.put("models/m/lora/tuned.rkllm", "adapter");
  files.put("models/m/model.json",
            R"({"prompt_mode": "native", "rkllm": {"version": "1.2.1", "embed_flash": true, "lora_scale": 0.5}})");
  const auto entry = registry().find("m");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->spec.rkllm.prompt_mode, "native");
  EXPECT_EQ(entry->spec.rkllm.version, "1.2.1");
  EXPECT_TRUE(entry->spec.rkllm.embed_flash);
  EXPECT_EQ(entry->spec.rkllm.lora_file, "models/m/lora/tuned.rkllm");
  EXPECT_EQ(entry->spec.rkllm.lora_scale, 0.5F);
  files.put("models/m/model.json", R"({"rkllm": {"lora": "other"}})");
  EXPECT_FALSE(registry().find("m"));
}

TEST_F(ModelRegistryTest, TakesTheSettingsOfEmbeddings) {
  files.put("models/m/m.gguf", "weights");
  files.put("models/m/model.json",
            R"({"embedding": {"max_context_len": 512, "pooling_strategy": "last", "normalize": false}})");
  EXPECT_EQ(registry().find("m")->spec.embedding, (EmbeddingSettings{"last", false, 512}));
  files.put("models/m/model.json", R"({"embedding": {"pooling_strategy": "most"}})");
  EXPECT_FALSE(registry().find("m"));
}

TEST_F(ModelRegistryTest, LeavesOutAModelWithBadSettings) {
  files.put("models/m/m.gguf", "weights");
  files.put("models/m/model.json", R"({"parallel": 0})");
  EXPECT_THAT(names(), IsEmpty());
}

TEST(ModelOverrides, ReportEveryFaultWithItsPath) {
  ModelEntry entry;
  const OverrideReport report = apply_overrides(R"({"parallel": "x", "prompt_mode": "magic", "colour": 1, "notes": 1,
                          "sampling": {"top_p": 2, "size": 3}, "rkllm": {"n_batch": 0}})",
                                                &entry);
  EXPECT_THAT(report.errors,
              ElementsAre(HasSubstr("parallel: must be"), HasSubstr("prompt_mode: must be one of tokens, rendered"),
                          HasSubstr("sampling.top_p: must be"), HasSubstr("rkllm.n_batch: must be")));
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
