// Damage, folders of others, and what opening removes and what it never removes.
#include "cache/cache_metadata.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/store_fixture.h"

namespace rockllama {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CacheStoreDamage : public StoreTest {
 protected:
  // A store of its own over a folder with these files.
  [[nodiscard]] static Result<CacheReference> reference_over(MemoryFileSystem* files) {
    const auto store = CacheStore::open(files, "/cache");
    EXPECT_TRUE(store);
    return (*store)->reference(kModel, "a", StateFormat::kChat, kPrint);
  }
  // Opening, with the text as it is, and at most the state that was committed.
  void expect_text_survives(const std::string& metadata, size_t where) {
    MemoryFileSystem files;
    files.put(path("a.bin"), "text");
    files.put(path("a.json"), metadata);
    files.put(path("a.llama_cache"), read("a.llama_cache"));
    const auto found = reference_over(&files);
    ASSERT_TRUE(found) << where;
    EXPECT_EQ(found->line.back().text, "text") << where;
    if (found->state) {
      EXPECT_EQ(found->state, reference("a").state) << where;
    }
    EXPECT_THAT(files.names("/cache/demo"), Contains("a.bin")) << where;
  }
};

TEST_F(CacheStoreDamage, MetadataTruncatedAtEveryByteLeavesATextCache) {
  create("a", "text", "state");
  const std::string metadata = read("a.json");
  for (size_t size = 0; size < metadata.size(); ++size) expect_text_survives(metadata.substr(0, size), size);
}

TEST_F(CacheStoreDamage, AFlippedByteOfTheMetadataNeverCostsTheText) {
  create("a", "text", "state");
  const std::string metadata = read("a.json");
  for (size_t i = 0; i < metadata.size(); ++i) {
    std::string flipped = metadata;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
    expect_text_survives(flipped, i);
  }
}

TEST_F(CacheStoreDamage, BrokenMetadataStaysUntilTheNextCommit) {
  files_.put(path("a.bin"), "text");
  files_.put(path("a.json"), "{ broken");
  open();
  EXPECT_EQ(reference("a").line.back().text, "text");
  store_->touch(kModel, "a", true);
  store_->flush();
  EXPECT_EQ(read("a.json"), "{ broken");
  create("a", "text", "state");
  open();
  EXPECT_TRUE(reference("a").state);
}

TEST_F(CacheStoreDamage, ATruncatedStateIsQuarantined) {
  const std::string state(1000, 's');
  for (size_t size = 0; size < state.size(); size += 50) {
    create("a", "text", state);
    files_.put(path("a.llama_cache"), state.substr(0, size));
    EXPECT_EQ(open_state("a").error().code, ErrorCode::kCorrupt) << size;
    EXPECT_THAT(reference("a").reason, HasSubstr("quarantined: ")) << size;
    EXPECT_EQ(reference("a").line.back().text, "text");
    EXPECT_THAT(names(), ElementsAre("a.bin", "a.json", "a~bad.llama_cache"));
  }
}

TEST_F(CacheStoreDamage, AFlippedBitOfAStateIsFoundAtItsFirstUse) {
  std::string state(4000, 's');
  create("a", "text", state);
  const std::string metadata = read("a.json");
  for (size_t i = 0; i < 1000; ++i) {
    MemoryFileSystem files;
    std::string flipped = state;
    flipped[i * 4] = static_cast<char>(flipped[i * 4] ^ (1 << (i % 8)));
    files.put(path("a.bin"), "text");
    files.put(path("a.json"), metadata);
    files.put(path("a.llama_cache"), flipped);
    const auto store = CacheStore::open(&files, "/cache");
    const auto found = (*store)->reference(kModel, "a", StateFormat::kChat, kPrint);
    ASSERT_TRUE(found && found->state) << i;
    EXPECT_EQ((*store)->open_state(kModel, "a", StateFormat::kChat, *found->state).error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(files.names("/cache/demo"), Contains("a~bad.llama_cache")) << i;
  }
}

TEST_F(CacheStoreDamage, AStateThatChangesAfterItWasVerifiedIsVerifiedAgain) {
  create("a", "text", "state");
  ASSERT_TRUE(open_state("a"));
  files_.put(path("a.llama_cache"), "stale");
  EXPECT_EQ(open_state("a").error().code, ErrorCode::kCorrupt);
}

TEST_F(CacheStoreDamage, AVerifiedStateIsNotReadAgain) {
  create("a", "text", "state");
  store_.reset();
  FaultyFileSystem faulty(&files_);
  auto store = CacheStore::open(&faulty, "/cache");
  const auto key = *(*store)->reference(kModel, "a", StateFormat::kChat, kPrint)->state;
  const auto calls_of_opening = [&] {
    const uint64_t before = faulty.calls();
    EXPECT_TRUE((*store)->open_state(kModel, "a", StateFormat::kChat, key));
    return faulty.calls() - before;
  };
  const uint64_t first = calls_of_opening();
  EXPECT_LT(calls_of_opening(), first);
}

TEST_F(CacheStoreDamage, AReadErrorIsNoReasonForQuarantine) {
  create("a", "text", "state");
  const StateKey key = *reference("a").state;
  store_.reset();
  for (uint64_t k = 0; k < 8; ++k) {
    FaultyFileSystem faulty(&files_);
    auto store = CacheStore::open(&faulty, "/cache");
    faulty.fail_call(faulty.calls() + k, ErrorCode::kIo);
    (void)(*store)->open_state(kModel, "a", StateFormat::kChat, key);
    faulty.heal();
    EXPECT_TRUE((*store)->open_state(kModel, "a", StateFormat::kChat, key)) << k;
  }
}

TEST_F(CacheStoreDamage, QuarantineHoldsInThisProcessWhenTheDiskDoesNotTakeIt) {
  create("a", "text", "state");
  store_.reset();
  FaultyFileSystem faulty(&files_);
  auto store = CacheStore::open(&faulty, "/cache");
  const auto key = *(*store)->reference(kModel, "a", StateFormat::kChat, kPrint)->state;
  // Looking at metadata and text comes first and works; renaming and writing do not.
  faulty.fail_from(faulty.calls() + 2, ErrorCode::kNoSpace);
  EXPECT_FALSE((*store)->quarantine(kModel, "a", StateFormat::kChat, key, "the worker died"));
  faulty.heal();
  EXPECT_EQ((*store)->reference(kModel, "a", StateFormat::kChat, kPrint)->reason, "quarantined: the worker died");
  EXPECT_EQ((*store)->open_state(kModel, "a", StateFormat::kChat, key).error().code, ErrorCode::kNotFound);
}

TEST_F(CacheStoreDamage, OpensAFolderOfThePythonServer) {
  files_.put(path("coding.bin"), "text");
  files_.put(path("coding.json"), R"({"cache_name":"coding","model_name":"demo","created_at":1700000000,
                                      "content_length":4,"source":"coding.txt","mood":"fine"})");
  files_.put(path("coding.rkllm_cache"), "state");
  files_.put(path("two words.bin"), "by hand");
  files_.put(path("only.json"), R"({"cache_name":"only","content":"inside"})");
  open();
  EXPECT_EQ(info("coding").source, "coding.txt");
  EXPECT_EQ(info("coding").created_at, 1.7e9);
  ASSERT_EQ(info("coding").binary.size(), 1U);
  EXPECT_EQ(info("coding").binary[0].engine, "rkllm");
  EXPECT_EQ(info("coding").binary[0].status, StateStatus::kStale);
  EXPECT_FALSE(info("coding").has_binary);
  EXPECT_EQ(reference("two words").line.back().text, "by hand");
  EXPECT_EQ(info("two words").source, "/cache/demo/two words.bin");
  EXPECT_EQ(reference("only").line.back().text, "inside");
  create("coding", "text", "state");
  EXPECT_EQ(info("coding").created_at, 1.7e9);
  EXPECT_THAT(read("coding.json"), HasSubstr("\"mood\""));
  EXPECT_THAT(names(), Contains("coding.rkllm_cache"));
}

TEST_F(CacheStoreDamage, AStateWithoutAnyTextIsListedAndKeptButOfNoUse) {
  files_.put(path("lost.rkllm_cache"), "state");
  files_.put(path("gone.llama_cache"), "state");
  open();
  const auto infos = store_->list(kModel, kPrint);
  ASSERT_EQ(infos->size(), 2U);
  for (const CacheInfo& found : *infos) {
    EXPECT_FALSE(found.has_text || found.has_binary);
    ASSERT_EQ(found.binary.size(), 1U);
    EXPECT_EQ(found.binary[0].status, StateStatus::kUnsupported);
    EXPECT_THAT(found.binary[0].reason, HasSubstr("create the cache again"));
  }
  EXPECT_EQ(store_->reference(kModel, "lost", StateFormat::kChat, kPrint).error().code, ErrorCode::kNotFound);
  EXPECT_THAT(names(), ElementsAre("gone.llama_cache", "lost.rkllm_cache"));
}

TEST_F(CacheStoreDamage, OpeningRemovesOnlyOurTemporariesAndUnnamedStates) {
  create("a", "text", "state");
  for (const char* file : {"a~new-7.llama_cache", "a~raw~new-8.llama_cache", "a~new.text", "b~new.json",
                           "a~raw.llama_cache", "a~raw~bad.llama_cache"}) {
    files_.put(path(file), "ours");
  }
  const std::vector<std::string> others = {"a~new.bin", "b.bin",           "b.llama_cache", "c.json",
                                           "notes.txt", "a~x.llama_cache", "a.rkllm_cache"};
  for (const std::string& file : others) files_.put(path(file), "of others");
  files_.put("/cache/.trash/a~new.text", "hidden");
  files_.put("/cache/readme~new.text", "no model folder");
  open();
  EXPECT_THAT(names(),
              testing::UnorderedElementsAre("a.bin", "a.json", "a.llama_cache", "a~new.bin", "b.bin", "b.llama_cache",
                                            "c.json", "notes.txt", "a~x.llama_cache", "a.rkllm_cache"));
  EXPECT_THAT(files_.names("/cache"), Contains("readme~new.text"));
  EXPECT_THAT(files_.names("/cache/.trash"), Contains("a~new.text"));
}

TEST_F(CacheStoreDamage, AnIntentThatNamesOtherFilesIsNotFollowed) {
  create("a", "text", "state");
  create("b", "other text", "state");
  auto file = parse_metadata(read("a.json"));
  ASSERT_TRUE(file);
  for (const char* to : {"b.bin", "../demo/b.bin", "a.json", "x"}) {
    file->pending = PendingCommit{*file->current, {{"a~new.text", to, std::nullopt, hash_bytes("bad")}}};
    files_.put(path("a~new.text"), "bad");
    files_.put(path("a.json"), serialise_metadata(*file));
    open();
    EXPECT_EQ(reference("a").line.back().text, "text");
    EXPECT_EQ(reference("b").line.back().text, "other text");
    create("a", "text", "state");
  }
}

TEST_F(CacheStoreDamage, AFolderInThePlaceOfAStateCostsOnlyTheState) {
  ASSERT_TRUE(files_.make_folders(path("a.llama_cache")));
  const auto create = [&] { return store_->commit(kModel, "a", "text", new_states(store_.get(), "a", "state"), {}); };
  EXPECT_THAT(create().error().message, HasSubstr("a.llama_cache"));
  EXPECT_THAT(names(), IsEmpty());
  ASSERT_TRUE(store_->commit(kModel, "a", "text", {}, {}));
  EXPECT_FALSE(create());
  EXPECT_EQ(reference("a").line.back().text, "text");
  EXPECT_THAT(names(), ElementsAre("a.bin", "a.json"));
}

TEST_F(CacheStoreDamage, AnEditDuringABrokenCommitIsKept) {
  create("a", "old", "state");
  auto file = parse_metadata(read("a.json"));
  ASSERT_TRUE(file);
  file->pending = PendingCommit{*file->current, {{"a~new.text", "a.bin", hash_bytes("old"), hash_bytes("new")}}};
  files_.put(path("a~new.text"), "new");
  files_.put(path("a.json"), serialise_metadata(*file));
  files_.put(path("a.bin"), "edited by a person");
  open();
  EXPECT_EQ(reference("a").line.back().text, "edited by a person");
  EXPECT_EQ(reference("a").reason, "stale: the text was edited");
  EXPECT_THAT(names(), Not(Contains("a~new.text")));
}

TEST_F(CacheStoreDamage, NoticesFilesThatAreAddedAndRemovedByHand) {
  files_.put(path("x.bin"), "text");
  EXPECT_EQ(reference("x").line.back().text, "text");
  ASSERT_TRUE(files_.remove(path("x.bin")));
  EXPECT_EQ(store_->find(kModel, "x", "").error().code, ErrorCode::kNotFound);
  EXPECT_THAT(*store_->list(kModel, ""), IsEmpty());
}

}  // namespace
}  // namespace rockllama
