// Caches out of a store and into another one: what arrives, and that a fault leaves nothing behind.
#include "cache/archive_transfer.h"

#include "tests/support/archive_fixture.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/store_fixture.h"

namespace rockllama {
namespace {

using test::archive_bytes;
using test::sample_archive;
using test::source_of;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uint64_t kMostCalls = 400;  // more than any import makes

Result<ImportedCache> import_into(CacheStore* store, const ByteSource& source, const ImportOrder& order) {
  const auto open = read_archive(source);
  if (!open) return fail(open.error());
  return import_archive(store, source, *open, order);
}

class ArchiveTransfer : public StoreTest {
 protected:
  Result<ImportedCache> import(const std::string& bytes, ImportOrder order = {}) {
    if (order.model.empty()) order.model = kModel;
    order.now = now_;
    return import_into(store_.get(), source_of(bytes), order);
  }
  std::string exported(const std::string& name, bool with_states = true) {
    auto stream = export_cache(store_.get(), kModel, name, with_states);
    EXPECT_TRUE(stream) << stream.error().message;
    return stream ? test::bytes_of(std::move(*stream)) : "";
  }
};

TEST_F(ArchiveTransfer, BringsTextAncestorsAndStates) {
  const auto imported = import(archive_bytes(sample_archive()), {.fingerprint = kPrint});
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->name, "coding");
  EXPECT_THAT(imported->ancestors, ElementsAre("street", "house"));
  ASSERT_THAT(imported->states, SizeIs(2));
  EXPECT_TRUE(imported->states[0].kept && imported->states[1].kept);
  EXPECT_EQ(info("coding").source, "import");
  EXPECT_EQ(info("coding").parent, "house");
  EXPECT_TRUE(info("coding").pinned);
  EXPECT_EQ(info("house").parent, "street");
  const auto state = open_state("coding");
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(contents(state->file, state->bytes), sample_archive().payloads[0]);
  EXPECT_EQ(state->key.tokens, 316u);
}

TEST_F(ArchiveTransfer, TakesACacheToAnotherStoreAsItIs) {
  create("a", "the text", "the state");
  const std::string bytes = exported("a");
  ASSERT_TRUE(store_->remove(kModel, "a"));
  ASSERT_TRUE(import(bytes, {.fingerprint = kPrint}));
  EXPECT_EQ(store_->text(kModel, "a").value(), "the text");
  const auto state = open_state("a");
  ASSERT_TRUE(state);
  EXPECT_EQ(contents(state->file, state->bytes), "the state");
  EXPECT_EQ(exported("a", false).find("the state"), std::string::npos);
}

TEST_F(ArchiveTransfer, DropsAStateOfAnotherModelAndSaysSo) {
  const auto imported = import(archive_bytes(sample_archive()), {.fingerprint = "another"});
  ASSERT_TRUE(imported);
  EXPECT_FALSE(imported->states[0].kept);
  EXPECT_THAT(imported->states[0].reason, HasSubstr("another model"));
  EXPECT_TRUE(info("coding").has_text);
  EXPECT_THAT(info("coding").binary, IsEmpty());
}

TEST_F(ArchiveTransfer, KeepsAStateWhereTheModelIsNotKnown) {
  const auto imported = import(archive_bytes(sample_archive()));
  ASSERT_TRUE(imported);
  EXPECT_TRUE(imported->states[0].kept);
  EXPECT_THAT(imported->states[0].reason, HasSubstr("not loaded"));
}

TEST_F(ArchiveTransfer, LeavesAnEditedCachesStateOut) {
  create("a", "the text", "the state");
  files_.put(path("a.bin"), "edited");
  const std::string bytes = exported("a");
  const auto open = read_archive(source_of(bytes));
  ASSERT_TRUE(open);
  EXPECT_EQ(open->archive.cache.content, "edited");
  EXPECT_THAT(open->archive.cache.states, IsEmpty());
}

TEST_F(ArchiveTransfer, ExportsNothingThatIsNotThere) {
  EXPECT_EQ(export_cache(store_.get(), kModel, "nobody", true).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(export_cache(store_.get(), kModel, "../x", true).error().code, ErrorCode::kNotFound);
}

TEST_F(ArchiveTransfer, TakesAnotherNameIfItIsOne) {
  const std::string bytes = archive_bytes(sample_archive());
  EXPECT_EQ(import(bytes, {.name = "../x"}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(import(bytes, {.name = "house"}).error().code, ErrorCode::kConflict);
  EXPECT_THAT(names(), IsEmpty());
  ASSERT_TRUE(import(bytes, {.name = "other"}));
  EXPECT_EQ(info("other").parent, "house");
}

TEST_F(ArchiveTransfer, KeepsACacheThatMustNotBeOverwritten) {
  create("coding", "mine", "my state");
  const auto before = names();
  EXPECT_EQ(import(archive_bytes(sample_archive()), {.overwrite = false}).error().code, ErrorCode::kConflict);
  EXPECT_EQ(store_->text(kModel, "coding").value(), "mine");
  EXPECT_EQ(names(), before);
  ASSERT_TRUE(import(archive_bytes(sample_archive())));
  EXPECT_EQ(store_->text(kModel, "coding").value(), "You are a careful programmer.\n");
}

TEST_F(ArchiveTransfer, NeverChangesACacheThatOthersMayContinue) {
  create("house", "other rules", "state");
  const auto before = names();
  const auto imported = import(archive_bytes(sample_archive()));
  EXPECT_EQ(imported.error().code, ErrorCode::kConflict);
  EXPECT_THAT(imported.error().message, HasSubstr("house"));
  EXPECT_EQ(names(), before);
  ASSERT_TRUE(store_->remove(kModel, "house"));
  // The same text that continues nothing is another line.
  create("house", "The rules of the house.", "state");
  EXPECT_EQ(import(archive_bytes(sample_archive())).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(store_->commit(kModel, "street", "", {}, {}));
  ASSERT_TRUE(store_->commit(kModel, "house", "The rules of the house.", {}, {.parent = "street"}));
  const auto again = import(archive_bytes(sample_archive()));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_THAT(again->ancestors, IsEmpty());
}

TEST_F(ArchiveTransfer, BeginsATimeToLiveAnew) {
  auto sample = sample_archive();
  sample.archive.cache.expires_at = sample.archive.exported_at + 3600;
  ASSERT_TRUE(import(archive_bytes(sample)));
  const CacheInfo found = info("coding");
  EXPECT_GT(found.expires_at, found.created_at + 3000);
  EXPECT_LT(found.expires_at, found.created_at + 4000);
}

TEST_F(ArchiveTransfer, WritesNothingOfADamagedArchive) {
  const std::string bytes = archive_bytes(sample_archive());
  for (size_t size = 0; size < bytes.size(); size += 97) ASSERT_FALSE(import(bytes.substr(0, size)));
  std::string flipped = bytes;
  flipped[flipped.find("raw payload")] ^= 1;
  ASSERT_FALSE(import(flipped));
  EXPECT_THAT(store_->models(), IsEmpty());
  EXPECT_THAT(files_.names("/cache"), ElementsAre(".lock"));
}

TEST_F(ArchiveTransfer, FindsAnArchiveThatChangesWhileItIsRead) {
  const std::string bytes = archive_bytes(sample_archive());
  ByteSource source = source_of(bytes);
  int begins = 0;
  const size_t payload = bytes.find(sample_archive().payloads[1]);
  source.read = [&, read = source.read](uint64_t offset, std::span<char> room) {
    auto got = read(offset, room);
    if (offset == payload && ++begins > 1) room[0] ^= 1;
    return got;
  };
  EXPECT_FALSE(import_into(store_.get(), source, {.model = kModel}));
  EXPECT_THAT(names(), IsEmpty());
}

// A disk that is full for a moment, at any call: what was written for the import is gone again.
TEST(ArchiveTransferFaults, LeaveTheStoreAsItWas) {
  const std::string bytes = archive_bytes(sample_archive());
  bool imported = false;
  for (uint64_t k = 0; !imported; ++k) {
    ASSERT_LT(k, kMostCalls);
    MemoryFileSystem memory;
    FaultyFileSystem files(&memory);
    auto store = CacheStore::open(&files, "/cache").value();
    ASSERT_TRUE(store->commit(kModel, "coding", "old", new_states(store.get(), "coding", "old state"), {}));
    const auto before = memory.names("/cache/demo");
    files.fail_call(files.calls() + k, ErrorCode::kNoSpace);
    const bool whole = import_into(store.get(), source_of(bytes), {.model = kModel, .fingerprint = kPrint}).has_value();
    files.heal();
    EXPECT_EQ(store->text(kModel, "coding").value(), whole ? "You are a careful programmer.\n" : "old") << k;
    EXPECT_EQ(store->text(kModel, "house").has_value(), whole) << k;
    EXPECT_EQ(memory.names("/cache/demo") == before, !whole) << k;
    imported = whole && k > 100;
  }
}

// A disk that is full and stays so: the old cache or the new one is whole when it is opened again.
TEST(ArchiveTransferFaults, LeaveOneWholeCacheOnADiskThatStaysFull) {
  const std::string bytes = archive_bytes(sample_archive());
  bool imported = false;
  for (uint64_t k = 0; !imported; ++k) {
    ASSERT_LT(k, kMostCalls);
    MemoryFileSystem memory;
    FaultyFileSystem files(&memory);
    auto store = CacheStore::open(&files, "/cache").value();
    ASSERT_TRUE(store->commit(kModel, "coding", "old", new_states(store.get(), "coding", "old state"), {}));
    files.fail_from(files.calls() + k, ErrorCode::kNoSpace);
    imported = import_into(store.get(), source_of(bytes), {.model = kModel, .fingerprint = kPrint}).has_value();
    store.reset();
    files.heal();
    store = CacheStore::open(&files, "/cache").value();
    const auto text = store->text(kModel, "coding").value();
    EXPECT_THAT(text, AnyOf("old", "You are a careful programmer.\n")) << k;
    EXPECT_TRUE(text == "old" || (store->text(kModel, "house") && store->text(kModel, "street"))) << k;
    for (const std::string& name : memory.names("/cache/demo")) EXPECT_EQ(name.find("~new"), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace rockllama
