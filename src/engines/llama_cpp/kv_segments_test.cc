#include "engines/llama_cpp/kv_segments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace rockllama {
namespace {

TEST(KvSegments, CountsACellOnceHoweverManyHoldIt) {
  KvSegments segments;
  segments.add(0, 100);
  segments.add(1, 20, 0, 60);
  segments.add(2, 5, 1, 70);
  EXPECT_EQ(segments.used(), 125u);
  EXPECT_EQ(segments.cells_of(2), 75u);
  EXPECT_EQ(segments.held_by({1, 2}), 85u);
  EXPECT_EQ(segments.held_in_front(0, 50, {2}), 50u);
  EXPECT_EQ(segments.held_in_front(0, 80, {2}), 60u);
  segments.remove(0);
  EXPECT_EQ(segments.used(), 85u);
}

TEST(KvSegments, GivesBackOnlyWhatNobodyElseHolds) {
  KvSegments segments;
  segments.add(0, 100);
  segments.add(1, 0, 0, 40);
  segments.cut(0, 30);
  EXPECT_EQ(segments.used(), 40u);
  EXPECT_EQ(segments.cells_of(0), 30u);
  segments.remove(1);
  EXPECT_EQ(segments.used(), 30u);
}

// The same with a list of cells for each sequence.
class CellLists {
 public:
  void add(int32_t sequence, uint32_t cells, int32_t base, uint32_t shared) {
    std::vector<int> list;
    if (shared != 0) list.assign(lists_[base].begin(), lists_[base].begin() + shared);
    for (uint32_t i = 0; i < cells; ++i) list.push_back(next_++);
    lists_[sequence] = list;
  }
  void cut(int32_t sequence, uint32_t tokens) { lists_[sequence].resize(tokens); }
  void remove(int32_t sequence) { lists_.erase(sequence); }
  uint32_t held_by(const std::vector<int32_t>& sequences) {
    std::set<int> held;
    for (const int32_t one : sequences) held.insert(lists_[one].begin(), lists_[one].end());
    return static_cast<uint32_t>(held.size());
  }
  uint32_t held_in_front(int32_t sequence, uint32_t tokens, const std::vector<int32_t>& others) {
    std::set<int> held;
    for (const int32_t one : others) held.insert(lists_[one].begin(), lists_[one].end());
    uint32_t count = 0;
    for (uint32_t i = 0; i < tokens; ++i) count += held.contains(lists_[sequence][i]) ? 1 : 0;
    return count;
  }
  std::vector<int32_t> sequences() const {
    std::vector<int32_t> all;
    for (const auto& [sequence, list] : lists_) all.push_back(sequence);
    return all;
  }
  uint32_t size(int32_t sequence) { return static_cast<uint32_t>(lists_[sequence].size()); }

 private:
  std::map<int32_t, std::vector<int>> lists_;
  int next_ = 0;
};

TEST(KvSegments, AgreeWithListsOfCellsOverRandomOperations) {
  std::mt19937 random(5);
  const auto below = [&random](uint32_t end) { return static_cast<uint32_t>(random() % end); };
  KvSegments segments;
  CellLists lists;
  for (int step = 0; step < 800; ++step) {
    const std::vector<int32_t> all = lists.sequences();
    const int32_t some = all.empty() ? -1 : all[below(static_cast<uint32_t>(all.size()))];
    if (all.size() < 8 && (all.empty() || below(2) == 0)) {
      int32_t fresh = 0;
      while (std::find(all.begin(), all.end(), fresh) != all.end()) ++fresh;
      const uint32_t shared = some < 0 ? 0 : below(lists.size(some) + 1);
      const uint32_t cells = below(30);
      segments.add(fresh, cells, some, shared);
      lists.add(fresh, cells, some, shared);
    } else if (below(2) == 0) {
      const uint32_t tokens = below(lists.size(some) + 1);
      segments.cut(some, tokens);
      lists.cut(some, tokens);
    } else {
      segments.remove(some);
      lists.remove(some);
    }
    const std::vector<int32_t> now = lists.sequences();
    ASSERT_EQ(segments.used(), lists.held_by(now)) << step;
    std::vector<int32_t> half(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(now.size() / 2));
    ASSERT_EQ(segments.held_by(half), lists.held_by(half)) << step;
    for (const int32_t one : now) {
      ASSERT_EQ(segments.cells_of(one), lists.size(one)) << step;
      const uint32_t front = below(lists.size(one) + 1);
      ASSERT_EQ(segments.held_in_front(one, front, half), lists.held_in_front(one, front, half)) << step;
    }
  }
}

}  // namespace
}  // namespace rockllama
