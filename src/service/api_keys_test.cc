#include "service/api_keys.h"

#include <gtest/gtest.h>

#include "tests/support/memory_file_system.h"

namespace rockllama {
namespace {

const std::map<std::string, std::string> kKeys = {{"ann", "key-of-ann"}, {"bob", "key-of-bob"}};

TEST(ApiKeys, KnowsTheCallerByTheKey) {
  const auto keys = ApiKeys::make(kKeys, "secret");
  ASSERT_TRUE(keys);
  ASSERT_NE(keys->find("key-of-bob"), nullptr);
  EXPECT_EQ(keys->find("key-of-bob")->name, "bob");
  for (const char* wrong : {"", "key-of-bo", "key-of-bobb", "bob", "secret"}) EXPECT_EQ(keys->find(wrong), nullptr);
}

TEST(ApiKeys, SaltsCallersApartByTheSecret) {
  const auto keys = ApiKeys::make(kKeys, "secret");
  EXPECT_EQ(keys->salt_of("ann"), keys->find("key-of-ann")->salt);
  EXPECT_NE(keys->salt_of("ann"), keys->salt_of("bob"));
  EXPECT_EQ(keys->salt_of("nobody"), Hash128{});
  EXPECT_NE(ApiKeys::make(kKeys, "another")->salt_of("ann"), keys->salt_of("ann"));
}

TEST(ApiKeys, KeepTheSecretInAFile) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.make_folders("/cache"));
  const auto secret = read_or_make_secret(&files, "/cache/.secret");
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->size(), 32u);
  EXPECT_EQ(read_or_make_secret(&files, "/cache/.secret"), *secret);
  ASSERT_TRUE(files.write_synced("/cache/.secret", "short"));
  EXPECT_EQ(read_or_make_secret(&files, "/cache/.secret")->size(), 32u);
  EXPECT_EQ(files.list("/cache")->size(), 1u);
}

}  // namespace
}  // namespace rockllama
