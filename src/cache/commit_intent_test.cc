// A server that is killed at every call of a commit, and what a person does to the text before the next one opens the
// folder: an edit is told from a half commit. Also the commit that gives a cache another parent.
#include <functional>

#include "tests/support/faulty_file_system.h"
#include "tests/support/store_fixture.h"

namespace rockllama {
namespace {

using testing::AnyOf;

// What a request over cache `name` gets: its texts, and the payload of the state that is offered for them.
struct Served {
  std::vector<std::string> texts{};
  std::string state{};
  bool operator==(const Served&) const = default;
};
void PrintTo(const Served& served, std::ostream* out) {
  for (const std::string& text : served.texts) *out << '"' << text << "\", ";
  *out << "state \"" << served.state << '"';
}

Served served_by(CacheStore* store, const std::string& name) {
  Served served;
  const auto found = store->reference(kModel, name, StateFormat::kChat, kPrint);
  if (!found) return served;
  for (const CacheContent& content : found->line) served.texts.push_back(content.text);
  if (!found->state) return served;
  const auto open = store->open_state(kModel, name, StateFormat::kChat, *found->state);
  served.state = open ? contents(open->file, open->bytes) : "damaged";
  return served;
}

Status commit_cache(CacheStore* store, const std::string& name, const std::string& text, const std::string& state,
                    const CacheAttributes& attributes = {}) {
  std::vector<NewState> states;
  if (!state.empty()) states = new_states(store, name, state);
  if (states.empty() && !state.empty()) return fail(ErrorCode::kIo, "the payload could not be written");
  return store->commit(kModel, name, text, std::move(states), attributes);
}

// Calls `change` on a store that is killed at each of its calls in turn, and `look` on what is left then.
void kill_at_every_call(const std::function<void(CacheStore*)>& before, const std::function<void(CacheStore*)>& change,
                        const std::function<void(MemoryFileSystem*, uint64_t)>& look) {
  for (uint64_t k = 0;; ++k) {
    MemoryFileSystem memory;
    {
      const auto store = CacheStore::open(&memory, "/cache");
      ASSERT_TRUE(store);
      before(store->get());
    }
    FaultyFileSystem faulty(&memory);
    auto store = CacheStore::open(&faulty, "/cache");
    ASSERT_TRUE(store);
    const uint64_t first = faulty.calls() + k;
    faulty.fail_from(first, ErrorCode::kIo);
    change(store->get());
    const bool reached_the_end = faulty.calls() <= first;
    store->reset();
    look(&memory, k);
    if (reached_the_end || testing::Test::HasFailure()) return;
  }
}

struct IntentCase {
  const char* name;
  const char* new_text;
  const char* new_state;
};
void PrintTo(const IntentCase& param, std::ostream* out) { *out << param.name; }

class CommitIntent : public testing::TestWithParam<IntentCase> {
 protected:
  static void commit_old(CacheStore* store) { ASSERT_TRUE(commit_cache(store, "a", "old", "of old")); }
  static void commit_new(CacheStore* store) {
    (void)commit_cache(store, "a", GetParam().new_text, GetParam().new_state);
  }
  // What a text that a person writes gets as a state: only one that was built over this very text.
  static void expect_belongs_together(const Served& served, uint64_t k) {
    ASSERT_EQ(served.texts.size(), 1U) << k;
    if (served.texts.front() == "old") {
      EXPECT_THAT(served.state, AnyOf("", "of old", "of old again")) << k;
    } else {
      EXPECT_THAT(served.state, AnyOf("", "of new")) << k;
    }
  }
};

TEST_P(CommitIntent, AnEditBeforeTheNextOpeningStaysAndGetsNoState) {
  kill_at_every_call(commit_old, commit_new, [](MemoryFileSystem* memory, uint64_t k) {
    memory->put("/cache/demo/a.bin", "edited");
    const auto store = CacheStore::open(memory, "/cache");
    ASSERT_TRUE(store);
    const auto info = (*store)->find(kModel, "a", kPrint);
    ASSERT_TRUE(info) << k;
    EXPECT_FALSE(info->has_binary) << k;
    EXPECT_EQ(info->content_length, 6U) << k;
    EXPECT_TRUE((*store)->known_states(kModel, kPrint).empty()) << k;
    EXPECT_EQ(served_by(store->get(), "a"), Served{{"edited"}}) << k;
    EXPECT_THAT(memory->names("/cache/demo"), testing::Each(testing::Not(testing::HasSubstr("~new")))) << k;
  });
}

TEST_P(CommitIntent, AnEditToOneOfBothTextsGetsThatTextsStateOrNone) {
  for (const std::string text : {"old", "new"}) {
    kill_at_every_call(commit_old, commit_new, [&](MemoryFileSystem* memory, uint64_t k) {
      memory->put("/cache/demo/a.bin", text);
      const auto store = CacheStore::open(memory, "/cache");
      ASSERT_TRUE(store);
      expect_belongs_together(served_by(store->get(), "a"), k);
      memory->put("/cache/demo/a.bin", "old");
      expect_belongs_together(served_by(store->get(), "a"), k);
      memory->put("/cache/demo/a.bin", "new");
      expect_belongs_together(served_by(store->get(), "a"), k);
    });
  }
}

TEST_P(CommitIntent, ATextThatIsLostBeforeTheNextOpeningComesBackFromTheMetadata) {
  kill_at_every_call(commit_old, commit_new, [](MemoryFileSystem* memory, uint64_t k) {
    ASSERT_TRUE(memory->remove("/cache/demo/a.bin"));
    const auto store = CacheStore::open(memory, "/cache");
    ASSERT_TRUE(store);
    const Served served = served_by(store->get(), "a");
    expect_belongs_together(served, k);
    EXPECT_THAT(served.texts.front(), AnyOf("old", "new")) << k;
  });
}

INSTANTIATE_TEST_SUITE_P(EachKind, CommitIntent,
                         testing::Values(IntentCase{"ReplaceAll", "new", "of new"},
                                         IntentCase{"ReplaceText", "new", ""},
                                         IntentCase{"AddState", "old", "of old again"}),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(CommitOfAParent, KilledAtAnyCallLeavesTheOldLineOrTheNewOneWithItsState) {
  const auto before = [](CacheStore* store) {
    ASSERT_TRUE(commit_cache(store, "p", "first parent", ""));
    ASSERT_TRUE(commit_cache(store, "q", "second parent", ""));
    ASSERT_TRUE(commit_cache(store, "child", "text", "over the first", {.parent = "p"}));
  };
  const auto change = [](CacheStore* store) {
    (void)commit_cache(store, "child", "text", "over the second", {.parent = "q"});
  };
  kill_at_every_call(before, change, [](MemoryFileSystem* memory, uint64_t k) {
    const auto store = CacheStore::open(memory, "/cache");
    ASSERT_TRUE(store);
    const Served old_line{{"first parent", "text"}, "over the first"};
    const Served new_line{{"second parent", "text"}, "over the second"};
    EXPECT_THAT(served_by(store->get(), "child"), AnyOf(old_line, new_line)) << k;
    EXPECT_EQ((*store)->children(kModel, "p").size() + (*store)->children(kModel, "q").size(), 1U) << k;
  });
}

// The line is compared also where the cache continues none any more.
TEST(CommitOfAParent, AStateBuiltOverALineThatIsGoneIsRefused) {
  MemoryFileSystem memory;
  const auto store = CacheStore::open(&memory, "/cache");
  ASSERT_TRUE(store);
  ASSERT_TRUE(commit_cache(store->get(), "p", "parent", ""));
  ASSERT_TRUE(commit_cache(store->get(), "child", "text", "", {.parent = "p"}));
  auto states = new_states(store->get(), "child", "over both");
  states.front().line = (*store)->reference(kModel, "child", StateFormat::kChat, kPrint)->line;
  ASSERT_TRUE(commit_cache(store->get(), "child", "text", "", {.parent = ""}));
  EXPECT_EQ((*store)->add_states(kModel, "child", "text", std::move(states)).error().code, ErrorCode::kConflict);
  EXPECT_EQ(served_by(store->get(), "child"), Served{{"text"}});
}

}  // namespace
}  // namespace rockllama
