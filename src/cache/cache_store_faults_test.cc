// Commits on a disk that fails or loses power at every single call: afterwards the old cache is whole, or the new one.
#include <cstdlib>
#include <functional>
#include <string_view>

#include "tests/support/faulty_file_system.h"
#include "tests/support/store_fixture.h"

namespace rockllama {
namespace {

using testing::AnyOf;
using testing::Each;
using testing::Not;

constexpr const char* kOldText = "the old text";
constexpr const char* kNewText = "the new text";
constexpr uint64_t kManyCalls = 200;  // more than any commit makes

// Under a sanitizer every third case shows what it has to; the release build runs them all.
uint64_t stride() {
  const char* size = std::getenv("ROCKLLAMA_TEST_SIZE");
  return size != nullptr && std::string_view(size) == "small" ? 3 : 1;
}

using Change = std::function<Status(CacheStore*)>;

// What a cache answers: text, and bytes of the chat and the raw state ("" = none).
struct Answer {
  std::string text;
  std::string chat;
  std::string raw;
  bool operator==(const Answer&) const = default;
};
void PrintTo(const Answer& answer, std::ostream* out) {
  *out << '"' << answer.text << "\", \"" << answer.chat << "\", \"" << answer.raw << '"';
}

std::string state_bytes(CacheStore* store, StateFormat format) {
  const auto found = store->reference(kModel, "a", format, kPrint);
  if (!found || !found->state) return "";
  const auto state = store->open_state(kModel, "a", format, *found->state);
  return state ? contents(state->file, state->bytes) : "damaged";
}

Answer answer_of(CacheStore* store) {
  const auto text = store->text(kModel, "a");
  return {text ? *text : "", state_bytes(store, StateFormat::kChat), state_bytes(store, StateFormat::kRaw)};
}

Answer answer_after_opening(FileSystem* files) {
  const auto store = CacheStore::open(files, "/cache");
  EXPECT_TRUE(store);
  return store ? answer_of(store->get()) : Answer{};
}

Status commit_old(CacheStore* store) {
  if (const Status status = store->commit(kModel, "a", kOldText, new_states(store, "a", "old chat"), {}); !status) {
    return status;
  }
  return store->add_states(kModel, "a", kOldText, new_states(store, "a", "old raw", StateFormat::kRaw));
}

Status replace_all(CacheStore* store) {
  auto states = new_states(store, "a", "new chat");
  for (auto& state : new_states(store, "a", "new raw", StateFormat::kRaw)) states.push_back(std::move(state));
  if (states.size() != 2) return fail(ErrorCode::kIo, "the payloads could not be written");
  return store->commit(kModel, "a", kNewText, std::move(states), {});
}

Status replace_text(CacheStore* store) { return store->commit(kModel, "a", kNewText, {}, {}); }

Status add_chat(CacheStore* store) {
  auto states = new_states(store, "a", "new chat");
  if (states.empty()) return fail(ErrorCode::kIo, "the payload could not be written");
  return store->add_states(kModel, "a", kOldText, std::move(states));
}

struct Case {
  const char* name;
  Change before;  // may be empty
  Change change;
  Answer old_answer;
  Answer new_answer;
};
void PrintTo(const Case& param, std::ostream* out) { *out << param.name; }

class CommitFaults : public testing::TestWithParam<Case> {
 protected:
  void prepare(MemoryFileSystem* memory) {
    const auto store = CacheStore::open(memory, "/cache");
    ASSERT_TRUE(store);
    if (GetParam().before) {
      ASSERT_TRUE(GetParam().before(store->get()));
    }
  }

  void expect_whole(MemoryFileSystem* memory, bool committed, const std::string& where) {
    const Answer first = answer_after_opening(memory);
    if (committed) {
      EXPECT_EQ(first, GetParam().new_answer) << where;
    } else {
      EXPECT_THAT(first, AnyOf(GetParam().old_answer, GetParam().new_answer)) << where;
    }
    EXPECT_EQ(answer_after_opening(memory), first) << where;
    EXPECT_THAT(memory->names("/cache/demo"), Each(Not(testing::HasSubstr("~new")))) << where;
  }
};

TEST_P(CommitFaults, OneFailingCallLeavesTheOldCacheOrTheNewOne) {
  for (const ErrorCode code : {ErrorCode::kIo, ErrorCode::kNoSpace}) {
    bool reached_the_end = false;
    for (uint64_t k = 0; k < kManyCalls && !reached_the_end; ++k) {
      MemoryFileSystem memory;
      prepare(&memory);
      FaultyFileSystem faulty(&memory);
      auto store = CacheStore::open(&faulty, "/cache");
      ASSERT_TRUE(store);
      const uint64_t first = faulty.calls() + k;
      faulty.fail_call(first, code);
      const Status status = GetParam().change(store->get());
      reached_the_end = faulty.calls() <= first;
      const std::string where = "call " + std::to_string(k);
      // The same process goes on serving.
      faulty.heal();
      const Answer now = answer_of(store->get());
      EXPECT_EQ(now, status ? GetParam().new_answer : GetParam().old_answer) << where;
      store->reset();
      expect_whole(&memory, status.has_value(), where);
    }
    EXPECT_TRUE(reached_the_end);
  }
}

TEST_P(CommitFaults, ADiskThatBreaksForGoodLeavesTheOldCacheOrTheNewOne) {
  for (const ErrorCode code : {ErrorCode::kIo, ErrorCode::kNoSpace}) {
    bool reached_the_end = false;
    for (uint64_t k = 0; k < kManyCalls && !reached_the_end; ++k) {
      MemoryFileSystem memory;
      prepare(&memory);
      FaultyFileSystem faulty(&memory);
      auto store = CacheStore::open(&faulty, "/cache");
      ASSERT_TRUE(store);
      const uint64_t first = faulty.calls() + k;
      faulty.fail_from(first, code);
      const Status status = GetParam().change(store->get());
      reached_the_end = faulty.calls() <= first;
      store->reset();
      expect_whole(&memory, status.has_value(), "from call " + std::to_string(k));
    }
    EXPECT_TRUE(reached_the_end);
  }
}

// Every subset of the name changes that were not synced may survive, with unsynced bytes in every other round.
TEST_P(CommitFaults, PowerLossAtEveryCallLeavesTheOldCacheOrTheNewOne) {
  bool reached_the_end = false;
  for (uint64_t k = 0; k < kManyCalls && !reached_the_end; ++k) {
    for (uint64_t round = 0; round < 10; round += stride()) {
      // No more than three changes of names are ever open between two syncs that matter.
      const uint64_t kept = round < 8 ? round : ~(round - 8);
      MemoryFileSystem memory;
      prepare(&memory);
      FaultyFileSystem faulty(&memory);
      auto store = CacheStore::open(&faulty, "/cache");
      ASSERT_TRUE(store);
      const uint64_t first = faulty.calls() + k;
      faulty.fail_from(first, ErrorCode::kIo);
      const Status status = GetParam().change(store->get());
      reached_the_end = faulty.calls() <= first;
      store->reset();
      memory.crash(kept, (k + round) % 2 == 0);
      expect_whole(&memory, status.has_value(), "call " + std::to_string(k) + ", round " + std::to_string(round));
      if (HasFailure()) return;
    }
  }
  EXPECT_TRUE(reached_the_end);
}

// The second loss hits the opening that puts the first one in order.
TEST_P(CommitFaults, PowerLossDuringRecoveryLeavesTheOldCacheOrTheNewOne) {
  for (uint64_t k = 0; k < kManyCalls; k += 2 * stride()) {
    bool recovered = false;
    for (uint64_t j = 0; j < kManyCalls && !recovered; ++j) {
      MemoryFileSystem memory;
      prepare(&memory);
      FaultyFileSystem faulty(&memory);
      auto store = CacheStore::open(&faulty, "/cache");
      ASSERT_TRUE(store);
      const uint64_t first = faulty.calls() + k;
      faulty.fail_from(first, ErrorCode::kIo);
      const Status status = GetParam().change(store->get());
      if (faulty.calls() <= first) return;
      store->reset();
      memory.crash(UINT64_MAX, true);
      FaultyFileSystem again(&memory);
      again.fail_from(j, ErrorCode::kIo);
      { const auto opened = CacheStore::open(&again, "/cache"); }
      recovered = again.calls() <= j;
      memory.crash(0x5555555555555555U << (j % 2), false);
      expect_whole(&memory, status.has_value(), "call " + std::to_string(k) + ", then " + std::to_string(j));
      if (HasFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    EachCommit, CommitFaults,
    testing::Values(
        Case{"FirstCommit", {}, replace_all, {"", "", ""}, {kNewText, "new chat", "new raw"}},
        Case{"ReplaceAll",
             commit_old,
             replace_all,
             {kOldText, "old chat", "old raw"},
             {kNewText, "new chat", "new raw"}},
        Case{"ReplaceText", commit_old, replace_text, {kOldText, "old chat", "old raw"}, {kNewText, "", ""}},
        Case{"AddState", commit_old, add_chat, {kOldText, "old chat", "old raw"}, {kOldText, "new chat", "old raw"}}),
    [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace rockllama
