#include "cache/cache_store.h"

#include <thread>

#include "base/posix_file_system.h"
#include "tests/support/store_fixture.h"

namespace rockllama {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CacheStoreTest : public StoreTest {};

TEST_F(CacheStoreTest, ServesWhatWasCommittedAlsoAfterItWasOpenedAgain) {
  create("coding", "You write code.", "state");
  for (int round = 0; round < 2; ++round, open()) {
    const CacheReference found = reference("coding");
    EXPECT_EQ(found.line.back().text, "You write code.");
    ASSERT_TRUE(found.state);
    EXPECT_EQ(found.reason, "");
    EXPECT_EQ(found.state->tokens, 316U);
    EXPECT_EQ(found.state->token_hash, (Hash128{7, 8}));
    const auto state = open_state("coding");
    ASSERT_TRUE(state);
    EXPECT_EQ(contents(state->file, state->bytes), "state");
  }
  EXPECT_THAT(names(), ElementsAre("coding.bin", "coding.json", "coding.llama_cache"));
}

TEST_F(CacheStoreTest, SaysWhatACacheIs) {
  create("coding", "\xC3\xA4hm", "state");
  const CacheInfo found = info("coding");
  EXPECT_EQ(found.cache_name, "coding");
  EXPECT_EQ(found.model_name, "demo");
  EXPECT_EQ(found.content_length, 3U);
  EXPECT_EQ(found.prompt_tokens, 316U);
  EXPECT_EQ(found.size_bytes, 4U + 5U);
  EXPECT_EQ(found.source, "api");
  EXPECT_TRUE(found.has_text && found.has_binary);
  ASSERT_EQ(found.binary.size(), 1U);
  EXPECT_EQ(found.binary[0].engine, "llama.cpp");
  EXPECT_EQ(found.binary[0].status, StateStatus::kReady);
  EXPECT_GT(found.created_at, 1e9);
}

TEST_F(CacheStoreTest, ReplacesTextAndStateAndDropsStatesOfTheOldText) {
  create("coding", "old", "old state");
  ASSERT_TRUE(
      store_->add_states(kModel, "coding", "old", new_states(store_.get(), "coding", "old raw", StateFormat::kRaw)));
  const std::string old_id = reference("coding").state->id;
  create("coding", "new", "new state");
  EXPECT_EQ(reference("coding").line.back().text, "new");
  EXPECT_NE(reference("coding").state->id, old_id);
  EXPECT_EQ(reference("coding", StateFormat::kRaw).reason, "no state yet");
  EXPECT_THAT(names(), ElementsAre("coding.bin", "coding.json", "coding.llama_cache"));
  EXPECT_EQ(store_->open_state(kModel, "coding", StateFormat::kChat, {.id = old_id}).error().code,
            ErrorCode::kNotFound);
}

TEST_F(CacheStoreTest, KeepsStatesOfTheSameTextInOtherFormats) {
  create("coding", "text", "chat");
  const StateKey key = *reference("coding").state;
  ASSERT_TRUE(
      store_->add_states(kModel, "coding", "text", new_states(store_.get(), "coding", "raw", StateFormat::kRaw)));
  EXPECT_EQ(reference("coding").state, key);
  EXPECT_TRUE(reference("coding", StateFormat::kRaw).state);
}

TEST_F(CacheStoreTest, DoesNotOverwriteWhereToldSo) {
  create("coding", "old", "state");
  const auto status = store_->commit("demo", "coding", "new", {}, {.overwrite = false});
  EXPECT_EQ(status.error().code, ErrorCode::kConflict);
  EXPECT_EQ(reference("coding").line.back().text, "old");
  EXPECT_TRUE(store_->commit("demo", "other", "new", {}, {.overwrite = false}));
}

TEST_F(CacheStoreTest, AddsNoStatesToATextThatChanged) {
  create("coding", "text", "state");
  auto states = new_states(store_.get(), "coding", "other");
  files_.put(path("coding.bin"), "edit");
  EXPECT_EQ(store_->add_states(kModel, "coding", "text", std::move(states)).error().code, ErrorCode::kConflict);
  EXPECT_EQ(store_->add_states(kModel, "nobody", "text", {}).error().code, ErrorCode::kNotFound);
  EXPECT_THAT(names(), ElementsAre("coding.bin", "coding.json", "coding.llama_cache"));
}

TEST_F(CacheStoreTest, RefusesAPayloadThatIsShorterThanTheWorkerSaid) {
  auto states = new_states(store_.get(), "coding", "state");
  states[0].saved.bytes = 6;
  EXPECT_EQ(store_->commit(kModel, "coding", "text", std::move(states), {}).error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(CacheStoreTest, RemovesAPayloadThatWasNotCommitted) {
  { const auto pending = store_->begin_state(kModel, "coding", StateFormat::kRaw); }
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(CacheStoreTest, AHandEditIsServedAndMakesTheStateStaleUntilItIsUndone) {
  create("coding", "text", "state");
  files_.put(path("coding.bin"), "text, edited");
  EXPECT_EQ(reference("coding").line.back().text, "text, edited");
  EXPECT_EQ(reference("coding").reason, "stale: the text was edited");
  EXPECT_EQ(info("coding").content_length, 12U);
  EXPECT_EQ(info("coding").binary[0].status, StateStatus::kStale);
  files_.put(path("coding.bin"), "text");
  EXPECT_TRUE(reference("coding").state);
}

TEST_F(CacheStoreTest, StatesAreAddedToAnEditedText) {
  create("coding", "text", "state");
  files_.put(path("coding.bin"), "edited");
  ASSERT_TRUE(store_->add_states(kModel, "coding", "edited", new_states(store_.get(), "coding", "again")));
  EXPECT_TRUE(reference("coding").state);
  EXPECT_EQ(contents(open_state("coding")->file, 5), "again");
}

TEST_F(CacheStoreTest, AHandEditMakesTheTextFileTheSourceForGood) {
  create("coding", "text", "state");
  files_.put(path("coding.bin"), "edited");
  EXPECT_EQ(info("coding").source, path("coding.bin"));
  ASSERT_TRUE(store_->add_states(kModel, "coding", "edited", new_states(store_.get(), "coding", "again")));
  EXPECT_EQ(info("coding").source, path("coding.bin"));
}

TEST_F(CacheStoreTest, AStateOfAnotherModelOrEngineIsStale) {
  create("coding", "text", "state");
  const auto found = store_->reference(kModel, "coding", StateFormat::kChat, "another");
  EXPECT_FALSE(found->state);
  EXPECT_EQ(found->reason, "stale: the model or the engine changed");
  EXPECT_EQ(store_->find(kModel, "coding", "another")->binary[0].status, StateStatus::kStale);
  EXPECT_EQ(store_->find(kModel, "coding", "")->binary[0].status, StateStatus::kReady);
}

TEST_F(CacheStoreTest, QuarantineKeepsTheFileUnderItsBadNameUntilTheNextCommit) {
  create("coding", "text", "state");
  const StateKey key = *reference("coding").state;
  ASSERT_TRUE(store_->quarantine(kModel, "coding", StateFormat::kChat, {.id = key.id}, "the worker died"));
  EXPECT_EQ(reference("coding").reason, "quarantined: the worker died");
  open();
  EXPECT_EQ(reference("coding").reason, "quarantined: the worker died");
  EXPECT_THAT(names(), ElementsAre("coding.bin", "coding.json", "coding~bad.llama_cache"));
  create("coding", "text", "state 2");
  EXPECT_THAT(names(), ElementsAre("coding.bin", "coding.json", "coding.llama_cache"));
  EXPECT_EQ(store_->quarantine(kModel, "coding", StateFormat::kChat, key, "late").error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(reference("coding").state);
}

TEST_F(CacheStoreTest, AStateMarkedStaleIsNotOfferedAgain) {
  create("coding", "text", "state");
  ASSERT_TRUE(store_->mark_stale(kModel, "coding", StateFormat::kChat, *reference("coding").state, "other tokens"));
  open();
  EXPECT_EQ(reference("coding").reason, "stale: other tokens");
}

TEST_F(CacheStoreTest, AStateWhoseFileIsGoneIsStale) {
  create("coding", "text", "state");
  ASSERT_TRUE(files_.remove(path("coding.llama_cache")));
  EXPECT_EQ(reference("coding").reason, "stale: its file is gone");
}

TEST_F(CacheStoreTest, RemovesACacheWithAllItsFiles) {
  create("coding", "text", "state");
  const auto state = open_state("coding");
  files_.put(path("coding.rkllm_cache"), "of the Python server");
  ASSERT_TRUE(store_->remove(kModel, "coding"));
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_EQ(store_->find(kModel, "coding", "").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->remove(kModel, "coding").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(contents(state->file, state->bytes), "state");
}

TEST_F(CacheStoreTest, RemovesStatesAndKeepsTheText) {
  create("coding", "text", "state");
  ASSERT_TRUE(store_->remove_states(kModel, "coding"));
  EXPECT_THAT(names(), ElementsAre("coding.bin", "coding.json"));
  EXPECT_EQ(reference("coding").reason, "no state yet");
  EXPECT_EQ(store_->remove_states(kModel, "nobody").error().code, ErrorCode::kNotFound);
}

TEST_F(CacheStoreTest, TakesTheTextFromTheMetadataWhenItsFileIsGone) {
  create("coding", "text", "state");
  ASSERT_TRUE(files_.remove(path("coding.bin")));
  open();
  EXPECT_EQ(reference("coding").line.back().text, "text");
  EXPECT_TRUE(reference("coding").state);
  EXPECT_TRUE(info("coding").has_text);
}

TEST_F(CacheStoreTest, CountsUsesAndWritesThemWithFlush) {
  create("coding", "text", "state");
  store_->touch(kModel, "coding", true);
  store_->touch(kModel, "coding", false);
  store_->touch(kModel, "nobody", true);
  EXPECT_EQ(info("coding").hits, 1U);
  store_->flush();
  EXPECT_EQ(info("coding").hits, 1U);
  store_->touch(kModel, "coding", true);
  open();
  EXPECT_EQ(info("coding").hits, 2U);
  EXPECT_GT(info("coding").last_used_at, 1e9);
  EXPECT_TRUE(reference("coding").state);
}

TEST_F(CacheStoreTest, KeepsAttributesThatACommitDoesNotName) {
  create("system", "text", "state");
  ASSERT_TRUE(store_->commit(kModel, "a", "one", {}, {.source = "startup", .parent = "system", .pinned = true}));
  ASSERT_TRUE(store_->commit(kModel, "a", "two", {}, {.expires_at = 5e9}));
  EXPECT_EQ(info("a").source, "startup");
  EXPECT_EQ(info("a").parent, "system");
  EXPECT_TRUE(info("a").pinned);
  EXPECT_EQ(info("a").expires_at, 5e9);
}

TEST_F(CacheStoreTest, NoNameIsAPath) {
  for (const char* name : {"", "..", "a/b", "../demo/a", ".hidden", "a~raw"}) {
    EXPECT_EQ(store_->commit(kModel, name, "text", {}, {}).error().code, ErrorCode::kInvalidArgument) << name;
    EXPECT_EQ(store_->find(kModel, name, "").error().code, ErrorCode::kNotFound) << name;
    EXPECT_EQ(store_->commit("../x", "a", "text", {}, {}).error().code, ErrorCode::kInvalidArgument);
  }
}

TEST_F(CacheStoreTest, ASecondStoreOnOneFolderIsRefused) {
  EXPECT_EQ(CacheStore::open(&files_, "/cache").error().code, ErrorCode::kConflict);
}

TEST_F(CacheStoreTest, ListsModelsAndCaches) {
  create("b", "text", "state");
  create("a", "text", "state");
  files_.put("/cache/other/x.bin", "text");
  files_.put("/cache/empty/notes.txt", "text");
  EXPECT_THAT(store_->models(), ElementsAre("demo", "other"));
  const auto infos = store_->list(kModel, kPrint);
  ASSERT_EQ(infos->size(), 2U);
  EXPECT_EQ((*infos)[0].cache_name, "a");
  EXPECT_THAT(*store_->list("nobody", ""), IsEmpty());
}

TEST(CacheStoreOnDisk, WorksOnTheRealFileSystem) {
  const auto files = make_posix_file_system();
  std::string root = testing::TempDir() + "cache_store.XXXXXX";
  ASSERT_NE(::mkdtemp(root.data()), nullptr);
  auto store = CacheStore::open(files.get(), root);
  ASSERT_TRUE(store);
  EXPECT_EQ(CacheStore::open(files.get(), root).error().code, ErrorCode::kConflict);
  ASSERT_TRUE((*store)->commit(kModel, "coding", "text", new_states(store->get(), "coding", "state"), {}));
  const auto found = (*store)->reference(kModel, "coding", StateFormat::kChat, kPrint);
  ASSERT_TRUE(found && found->state);
  EXPECT_TRUE((*store)->open_state(kModel, "coding", StateFormat::kChat, *found->state));
  ASSERT_TRUE((*store)->remove(kModel, "coding"));
}

TEST(CacheStoreOnDisk, CachesMoveAlongWithARenamedModel) {
  const auto files = make_posix_file_system();
  std::string root = testing::TempDir() + "cache_store.XXXXXX";
  ASSERT_NE(::mkdtemp(root.data()), nullptr);
  auto store = CacheStore::open(files.get(), root).value();
  ASSERT_TRUE(store->commit(kModel, "coding", "text", new_states(store.get(), "coding", "state"), {}));
  const auto served = [](const std::string& name) { return name == kModel; };
  const auto nobody = [](const std::string&) { return false; };
  EXPECT_EQ(*store->move_along("renamed", kPrint, served), "");
  EXPECT_EQ(*store->move_along("renamed", "of another model", nobody), "");
  EXPECT_EQ(*store->move_along("renamed", kPrint, nobody), kModel);
  const auto found = store->reference("renamed", "coding", StateFormat::kChat, kPrint);
  ASSERT_TRUE(found && found->state);
  EXPECT_TRUE(store->open_state("renamed", "coding", StateFormat::kChat, *found->state));
  EXPECT_FALSE(store->find(kModel, "coding", ""));
}

TEST_F(CacheStoreTest, ManyThreadsSeeWholeCachesOnly) {
  create("coding", "text 0", "state");
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        const std::string text = "text " + std::to_string(i);
        EXPECT_TRUE(store_->commit(kModel, "coding", text, new_states(store_.get(), "coding", "of " + text), {}));
      }
    });
  }
  threads.emplace_back([&] {
    for (int i = 0; i < 100; ++i) {
      const CacheReference found = reference("coding");
      ASSERT_TRUE(found.state);
      const auto state = store_->open_state(kModel, "coding", StateFormat::kChat, *found.state);
      if (state && found.line.back().text != "text 0") {
        EXPECT_EQ(contents(state->file, state->bytes), "of " + found.line.back().text);
      }
      store_->touch(kModel, "coding", true);
      (void)store_->list(kModel, kPrint);
    }
  });
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace rockllama
