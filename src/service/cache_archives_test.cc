// Archives in and out of a service whose workers answer by themselves.
#include "service/cache_archives.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <future>

#include "base/posix_file_system.h"
#include "tests/support/archive_fixture.h"
#include "tests/support/service_fixture.h"

namespace rockllama {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CacheArchivesTest : public test::ServiceFixture {
 protected:
  Result<ImportedCache> import(const std::string& bytes, ImportCache request = {.model = "m"}) {
    std::promise<Result<ImportedCache>> answer;
    service->archives().import_cache(std::move(request), test::file_of(bytes),
                                     [&](Result<ImportedCache> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get();
  }
  [[nodiscard]] bool has_ready_state(const std::string& name) {
    const auto info = store->find("m", name, "");
    return info && info->has_binary;
  }
  std::vector<std::string> what_was_said() {
    const std::lock_guard lock(said_mutex);
    return *said;
  }
};

TEST_F(CacheArchivesTest, MakesADroppedStateAgainBehindTheScenes) {
  begin();
  const auto imported = import(test::archive_bytes(test::sample_archive()));
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_FALSE(imported->states[0].kept);
  EXPECT_TRUE(wait_until([&] { return has_ready_state("coding"); }));
}

TEST_F(CacheArchivesTest, KeepsTheStateOfItsOwnModel) {
  begin();
  ASSERT_TRUE(create({.model = "m", .name = "c", .text = "the text", .format = CacheFormatChoice::kChat}));
  auto bytes = service->archives().export_cache("m", "c", true);
  ASSERT_TRUE(bytes) << bytes.error().message;
  const auto imported = import(test::bytes_of(std::move(*bytes)), {.model = "m", .name = "d"});
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_TRUE(imported->states[0].kept);
  EXPECT_EQ(imported->states[0].reason, "");
  EXPECT_TRUE(has_ready_state("d"));
}

TEST_F(CacheArchivesTest, LoadsNoModelForATextOrForWhatIsNoArchive) {
  begin();
  auto sample = test::sample_archive();
  sample.archive.cache.states.clear();
  sample.payloads.clear();
  ASSERT_TRUE(import(test::archive_bytes(sample)));
  EXPECT_EQ(import("no archive").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(import(test::archive_bytes(sample), {.model = "nobody"}).error().code, ErrorCode::kModelNotFound);
  EXPECT_THAT(what_was_said(), Not(Contains("load m")));
}

TEST_F(CacheArchivesTest, KeepsAStateWhereTheModelCannotBeLoaded) {
  script->load_fails = true;
  begin();
  const auto imported = import(test::archive_bytes(test::sample_archive()));
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_TRUE(imported->states[0].kept);
  EXPECT_THAT(imported->states[0].reason, HasSubstr("not loaded"));
}

TEST_F(CacheArchivesTest, SpoolsIntoAFileWithoutAName) {
  begin();
  const auto file = service->archives().open_spool();
  ASSERT_TRUE(file);
  EXPECT_TRUE(write_descriptor(file->get(), "bytes"));
  const auto entries = files->list(folder + "/cache").value();
  EXPECT_TRUE(std::none_of(entries.begin(), entries.end(),
                           [](const FolderEntry& entry) { return entry.name.find("import") != std::string::npos; }));
}

}  // namespace
}  // namespace rockllama
