#include "base/scratch_folder.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace rockllama {
namespace {

class ScratchFolderTest : public ::testing::Test {
 protected:
  ScratchFolderTest() {
    std::string path = "/tmp/rockllama-test-XXXXXX";
    place_ = ::mkdtemp(path.data());
    ::setenv("TMPDIR", place_.c_str(), 1);
  }
  ~ScratchFolderTest() override {
    ::unsetenv("TMPDIR");
    std::filesystem::remove_all(place_);
  }
  [[nodiscard]] bool is_empty() const { return std::filesystem::is_empty(place_); }

 private:
  std::string place_;
};

TEST_F(ScratchFolderTest, GoesWithItsOwnerAndAllThatItHolds) {
  {
    auto folder = ScratchFolder::make();
    ASSERT_TRUE(folder);
    std::ofstream(folder->path() + "/file") << "bytes";
    remove_dead_scratch_folders();
    EXPECT_TRUE(std::filesystem::exists(folder->path() + "/file"));
  }
  EXPECT_TRUE(is_empty());
}

TEST_F(ScratchFolderTest, OfAProcessThatDiedIsRemovedByTheNext) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto folder = ScratchFolder::make();
    ::_exit(folder ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_FALSE(is_empty());
  remove_dead_scratch_folders();
  EXPECT_TRUE(is_empty());
}

TEST_F(ScratchFolderTest, CannotBeMadeWhereThereIsNoPlace) {
  ::setenv("TMPDIR", "/nowhere/at/all", 1);
  EXPECT_EQ(ScratchFolder::make().error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace rockllama
