// Removing caches on a disk that fails or loses power at every call.
#include "tests/support/faulty_file_system.h"
#include "tests/support/store_fixture.h"

namespace rockllama {
namespace {

class StoreRemoval : public testing::Test {
 protected:
  // A parent, and a pinned child with a state.
  void open_family() {
    store_.reset();
    memory_ = std::make_unique<MemoryFileSystem>();
    {
      const auto store = CacheStore::open(memory_.get(), "/cache");
      ASSERT_TRUE(store && (*store)->commit(kModel, "parent", "above", {}, {}));
      ASSERT_TRUE((*store)->commit(kModel, "child", "text", new_states(store->get(), "child", "state"),
                                   {.parent = "parent", .pinned = true}));
    }
    faulty_ = std::make_unique<FaultyFileSystem>(memory_.get());
    open();
  }
  void open() {
    store_.reset();
    auto opened = CacheStore::open(faulty_.get(), "/cache");
    ASSERT_TRUE(opened);
    store_ = std::move(*opened);
  }

  std::unique_ptr<MemoryFileSystem> memory_;
  std::unique_ptr<FaultyFileSystem> faulty_;
  std::unique_ptr<CacheStore> store_;
};

// Without its attributes it would be another cache: one that continues nothing and may be evicted.
TEST_F(StoreRemoval, CutOffByPowerLossLeavesTheTextWithItsAttributesOrNothing) {
  bool reached_the_end = false;
  for (uint64_t k = 0; !reached_the_end; ++k) {
    for (const uint64_t kept : {0U, 1U, 2U, 4U, 6U, 15U}) {
      open_family();
      const uint64_t first = faulty_->calls() + k;
      faulty_->fail_from(first, ErrorCode::kIo);
      const Status removed = store_->remove(kModel, "child");
      reached_the_end = faulty_->calls() <= first;
      store_.reset();
      memory_->crash(kept, true);
      faulty_->heal();
      open();
      const auto info = store_->find(kModel, "child", kPrint);
      ASSERT_TRUE(!removed || !info) << k;
      if (!info) continue;
      EXPECT_EQ(store_->text(kModel, "child"), "text") << k << " " << kept;
      EXPECT_EQ(info->parent, "parent") << k << " " << kept;
      EXPECT_TRUE(info->pinned) << k << " " << kept;
    }
  }
}

TEST_F(StoreRemoval, AChildThatCannotBeReadKeepsWhatItContinues) {
  bool reached_the_end = false;
  for (uint64_t k = 0; !reached_the_end; ++k) {
    open_family();
    const uint64_t call = faulty_->calls() + k;
    faulty_->fail_call(call, ErrorCode::kIo);
    EXPECT_FALSE(store_->remove(kModel, "parent")) << k;
    reached_the_end = faulty_->calls() <= call;
    faulty_->heal();
    EXPECT_EQ(store_->text(kModel, "parent"), "above") << k;
    EXPECT_EQ(store_->children(kModel, "parent"), std::vector<std::string>{"child"}) << k;
  }
}

TEST_F(StoreRemoval, NamesTheCacheThatCannotBeReadAndGoesOnWithCascade) {
  open_family();
  memory_->put("/cache/demo/other.bin", std::string((size_t{64} << 20) + 1, 'x'));
  const Status refused = store_->remove(kModel, "child");
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("'other'"));
  EXPECT_TRUE(store_->remove(kModel, "child", true));
}

TEST_F(StoreRemoval, AStateThatIsMadeAgainAfterItsMetadataWasLostIsServed) {
  open_family();
  const auto served = [&] { return store_->reference(kModel, "child", StateFormat::kChat, kPrint)->state; };
  ASSERT_TRUE(served());
  ASSERT_TRUE(store_->quarantine(kModel, "child", StateFormat::kChat, *served(), "the worker died"));
  ASSERT_TRUE(memory_->remove("/cache/demo/child.json"));
  // The same bytes by a first commit once more.
  ASSERT_TRUE(store_->commit(kModel, "child", "text", new_states(store_.get(), "child", "state"), {}));
  EXPECT_TRUE(served());
}

}  // namespace
}  // namespace rockllama
