// Automatic states: committed, known, opened, damaged, and on a disk that fails.
#include <algorithm>
#include <numeric>

#include "cache/automatic_metadata.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/store_fixture.h"

namespace rockllama {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kFolder = "/cache/demo/auto";

class AutomaticStatesTest : public StoreTest {
 protected:
  [[nodiscard]] std::vector<std::string> automatic_names() { return files_.names(kFolder); }
  [[nodiscard]] std::string read_automatic(const std::string& ending) {
    for (const std::string& name : automatic_names()) {
      if (name.ends_with(ending)) return files_.read(std::string(kFolder) + "/" + name, 1 << 20).value();
    }
    return "";
  }
  // The states that a store over these files serves, in the order of their bytes.
  [[nodiscard]] static std::string served(MemoryFileSystem* files) {
    const auto store = CacheStore::open(files, "/cache");
    EXPECT_TRUE(store);
    std::vector<std::string> states;
    for (const KnownState& state : (*store)->known_states(kModel, kPrint)) {
      const auto open = (*store)->open_automatic(kModel, state.key);
      if (open) states.push_back(contents(open->file, open->bytes));
    }
    std::sort(states.begin(), states.end());
    return std::accumulate(states.begin(), states.end(), std::string());
  }
};

TEST_F(AutomaticStatesTest, AreServedAlsoAfterTheStoreWasOpenedAgain) {
  const auto key = commit_automatic(store_.get(), "the state");
  ASSERT_TRUE(key);
  EXPECT_THAT(key->id, testing::MatchesRegex("demo/auto/1-[0-9a-f]{12}"));
  for (int round = 0; round < 2; ++round) {
    const auto known = store_->known_states(kModel, kPrint);
    ASSERT_EQ(known.size(), 1U);
    EXPECT_EQ(known[0].name, "");
    EXPECT_EQ(known[0].key, *key);
    EXPECT_THAT(known[0].cuts, ElementsAre(100, 400));
    EXPECT_THAT(known[0].points, ElementsAre(StatePoint{250, {2, 3}}));
    EXPECT_EQ(known[0].salt, (Hash128{4, 5}));
    const auto open_file = store_->open_automatic(kModel, *key);
    ASSERT_TRUE(open_file);
    EXPECT_EQ(contents(open_file->file, open_file->bytes), "the state");
    open();
  }
}

TEST_F(AutomaticStatesTest, AreNoCaches) {
  ASSERT_TRUE(commit_automatic(store_.get(), "state"));
  create("auto", "a cache of that name", "state");
  ASSERT_EQ(store_->list(kModel, kPrint)->size(), 1U);
  EXPECT_EQ(known().size(), 2U);
  ASSERT_TRUE(store_->remove(kModel, "auto"));
  EXPECT_EQ(known().size(), 1U);
}

TEST_F(AutomaticStatesTest, OfAnotherFingerprintGoWhenTheModelIsLoaded) {
  ASSERT_TRUE(commit_automatic(store_.get(), "old", 1, "another build"));
  ASSERT_TRUE(commit_automatic(store_.get(), "new"));
  EXPECT_EQ(known().size(), 1U);
  EXPECT_EQ(automatic_names().size(), 2U);
}

TEST_F(AutomaticStatesTest, AreRemovedAndQuarantinedById) {
  const auto first = commit_automatic(store_.get(), "first");
  const auto second = commit_automatic(store_.get(), "second");
  ASSERT_TRUE(store_->remove_automatic(kModel, first->id));
  EXPECT_EQ(store_->remove_automatic(kModel, first->id).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->open_automatic(kModel, *first).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(store_->quarantine_automatic(kModel, second->id, "its restore ended the worker"));
  EXPECT_THAT(automatic_names(), IsEmpty());
  for (const char* id : {"", "demo/auto/../a", "other/auto/1-000000000000", "demo/a/chat/1-000000000000"}) {
    EXPECT_EQ(store_->remove_automatic(kModel, id).error().code, ErrorCode::kNotFound) << id;
  }
}

TEST_F(AutomaticStatesTest, HoldNoTextAndCountTheirUses) {
  const auto key = commit_automatic(store_.get(), "state");
  ASSERT_TRUE(store_->open_automatic(kModel, *key));
  store_->flush();
  const auto record = parse_automatic(read_automatic(".json"));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->hits, 1U);
  EXPECT_THAT(read_automatic(".json"), Not(HasSubstr("content")));
}

TEST_F(AutomaticStatesTest, TheLeastValuableMakeRoomAndALesserOneIsRefused) {
  open({.automatic_bytes = 20});
  ASSERT_TRUE(commit_automatic(store_.get(), "0123456789", 5));
  const auto cheap = commit_automatic(store_.get(), "abcdefghij", 2);
  EXPECT_EQ(commit_automatic(store_.get(), "lesser one", 1).error().code, ErrorCode::kNoSpace);
  ASSERT_TRUE(commit_automatic(store_.get(), "worth more", 3));
  EXPECT_THAT(known(), Not(Contains(cheap->id)));
  EXPECT_EQ(store_->use().automatic_bytes, 20U);
}

TEST_F(AutomaticStatesTest, APayloadThatIsShorterThanSaidIsRefused) {
  auto payload = store_->begin_automatic(kModel);
  const auto key = store_->commit_automatic(kModel, std::move(*payload), {.known = {}, .bytes = 5, .fingerprint = "f"});
  EXPECT_EQ(key.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(automatic_names(), IsEmpty());
}

TEST_F(AutomaticStatesTest, OpeningRemovesHalvesAndTemporariesOfOursOnly) {
  ASSERT_TRUE(commit_automatic(store_.get(), "state"));
  const auto whole = automatic_names();
  const std::vector<std::string> ours = {"~new-3.llama_cache", "7-0123456789ab.json", "8-0123456789ab.llama_cache",
                                         "9-0123456789ab~new.json"};
  const std::vector<std::string> others = {"notes.txt", "a.llama_cache", "7-0123456789AB.json"};
  for (const auto& list : {ours, others}) {
    for (const std::string& name : list) files_.put(std::string(kFolder) + "/" + name, "bytes");
  }
  open();
  EXPECT_EQ(automatic_names().size(), whole.size() + others.size());
  for (const std::string& name : ours) EXPECT_THAT(automatic_names(), Not(Contains(name)));
}

TEST_F(AutomaticStatesTest, DamageAtAnyByteCostsOnlyTheState) {
  ASSERT_TRUE(commit_automatic(store_.get(), std::string(200, 's')));
  const std::string state = read_automatic(".llama_cache");
  const std::string metadata = read_automatic(".json");
  const std::string stem = automatic_names()[0].substr(0, automatic_names()[0].find('.'));
  const auto served_with = [&](const std::string& state_bytes, const std::string& json) {
    MemoryFileSystem files;
    files.put(std::string(kFolder) + "/" + stem + ".llama_cache", state_bytes);
    files.put(std::string(kFolder) + "/" + stem + ".json", json);
    return served(&files);
  };
  const auto flipped = [](std::string bytes, size_t at) {
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
    return bytes;
  };
  ASSERT_EQ(served_with(state, metadata), state);
  for (size_t i = 0; i < metadata.size(); ++i) {
    // White space may change; what is served is what was written, or nothing.
    EXPECT_THAT(served_with(state, flipped(metadata, i)), testing::AnyOf("", state)) << i;
    EXPECT_THAT(served_with(state, metadata.substr(0, i)), testing::AnyOf("", state)) << i;
  }
  for (size_t i = 0; i < state.size(); ++i) {
    EXPECT_EQ(served_with(flipped(state, i), metadata), "") << i;
    EXPECT_EQ(served_with(state.substr(0, i), metadata), "") << i;
  }
}

TEST_F(AutomaticStatesTest, EveryFieldComesBackAndAFlippedBitOfTheMetadataIsFound) {
  ASSERT_TRUE(commit_automatic(store_.get(), "state"));
  const std::string metadata = read_automatic(".json");
  const auto record = parse_automatic(metadata);
  ASSERT_TRUE(record);
  for (size_t i = 0; i < metadata.size(); ++i) {
    std::string flipped = metadata;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
    const auto read = parse_automatic(flipped);
    if (read) {
      EXPECT_EQ(*read, *record) << i;
    }
  }
}

// A second state is committed on a disk that fails at call k, then loses power; the first stays whole.
TEST_F(AutomaticStatesTest, AFaultOrPowerLossAtAnyCallLeavesWholeStatesOnly) {
  for (const uint64_t lost : {0, 1, 2, 3}) {
    bool reached_the_end = false;
    for (uint64_t k = 0; k < 100 && !reached_the_end; ++k) {
      MemoryFileSystem memory;
      {
        const auto store = CacheStore::open(&memory, "/cache");
        ASSERT_TRUE(commit_automatic(store->get(), "first"));
      }
      FaultyFileSystem faulty(&memory);
      auto store = CacheStore::open(&faulty, "/cache");
      const uint64_t first = faulty.calls() + k;
      if (lost == 0) {
        faulty.fail_call(first, ErrorCode::kNoSpace);
      } else {
        faulty.fail_from(first, ErrorCode::kIo);
      }
      const bool committed = commit_automatic(store->get(), "second").has_value();
      reached_the_end = faulty.calls() <= first;
      faulty.heal();
      store->reset();
      if (lost != 0) memory.crash(lost == 3 ? UINT64_MAX : lost, k % 2 == 0);
      const std::string bytes = served(&memory);
      EXPECT_THAT(bytes, testing::AnyOf("first", "firstsecond")) << "call " << k;
      EXPECT_TRUE(!committed || bytes == "firstsecond") << "call " << k;
      EXPECT_EQ(served(&memory), bytes) << "call " << k;
      EXPECT_THAT(memory.names(kFolder), Each(Not(HasSubstr("~new")))) << "call " << k;
    }
    EXPECT_TRUE(reached_the_end);
  }
}

}  // namespace
}  // namespace rockllama
