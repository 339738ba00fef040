#include "base/posix_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace rockllama {
namespace {

class PosixFileSystem : public testing::Test {
 protected:
  PosixFileSystem() {
    std::string pattern = testing::TempDir() + "posix_file_system.XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~PosixFileSystem() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  std::string folder_;
};

TEST_F(PosixFileSystem, ReadsBackWhatWasWritten) {
  const std::string bytes("a\0b\n", 4);
  ASSERT_TRUE(files_->write_synced(path("f"), bytes));
  EXPECT_EQ(files_->read(path("f"), 4), bytes);
  EXPECT_EQ(files_->stat(path("f"))->size, 4U);
}

TEST_F(PosixFileSystem, RefusesToReadMoreThanTheLimit) {
  ASSERT_TRUE(files_->write_synced(path("f"), "12345"));
  EXPECT_EQ(files_->read(path("f"), 4).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(files_->read(path("f"), UINT64_MAX), "12345");
}

TEST_F(PosixFileSystem, ReadsFilesLargerThanOnePiece) {
  const std::string bytes((size_t{3} << 20) + 17, 'x');
  ASSERT_TRUE(files_->write_synced(path("f"), bytes));
  EXPECT_EQ(files_->read(path("f"), bytes.size()), bytes);
  EXPECT_EQ(files_->hash(path("f")), hash_bytes(bytes));
}

TEST_F(PosixFileSystem, MissingFilesAreNotFound) {
  EXPECT_EQ(files_->read(path("f"), 1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->open(path("f")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->stat(path("f")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->list(path("f")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->rename(path("f"), path("g")).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(files_->remove(path("f")));
}

TEST_F(PosixFileSystem, MessagesDoNotNameThePath) {
  EXPECT_THAT(files_->open(path("secret")).error().message, testing::Not(testing::HasSubstr("secret")));
}

TEST_F(PosixFileSystem, FilesAndFoldersAreForTheOwnerOnly) {
  ASSERT_TRUE(files_->make_folders(path("a/b/c")));
  ASSERT_TRUE(files_->make_folders(path("a/b/c")));
  ASSERT_TRUE(files_->create(path("a/b/c/f")));
  struct stat info {};
  ASSERT_EQ(::stat(path("a/b").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  ASSERT_EQ(::stat(path("a/b/c/f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(PosixFileSystem, NeverWritesThroughASymbolicLink) {
  ASSERT_TRUE(files_->write_synced(path("target"), "kept"));
  std::filesystem::create_symlink("target", path("link"));
  EXPECT_FALSE(files_->write_synced(path("link"), "gone"));
  EXPECT_FALSE(files_->create(path("link")));
  EXPECT_EQ(files_->read(path("link"), 100), "kept");
}

TEST_F(PosixFileSystem, APipeIsNoFileAndDoesNotBlock) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(files_->open(path("pipe")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->read(path("pipe"), 1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->stat(path("pipe")).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(files_->write_synced(path("pipe"), "x"));
}

TEST_F(PosixFileSystem, AFolderIsNoFileAndStays) {
  ASSERT_TRUE(files_->make_folders(path("folder")));
  EXPECT_EQ(files_->read(path("folder"), 1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(files_->hash(path("folder")).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(files_->remove(path("folder")));
  EXPECT_TRUE(files_->stat(path("folder"))->is_folder);
}

TEST_F(PosixFileSystem, ListsInNameOrder) {
  ASSERT_TRUE(files_->write_synced(path("b"), "12"));
  ASSERT_TRUE(files_->write_synced(path("a"), ""));
  ASSERT_TRUE(files_->make_folders(path("c")));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const auto entries = files_->list(folder_);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3U);
  EXPECT_EQ((*entries)[0].name, "a");
  EXPECT_EQ((*entries)[1].info.size, 2U);
  EXPECT_TRUE((*entries)[2].info.is_folder);
}

TEST_F(PosixFileSystem, ADescriptorKeepsItsFileWhenTheNameMovesOn) {
  ASSERT_TRUE(files_->write_synced(path("f"), "old"));
  const auto fd = files_->open(path("f"));
  ASSERT_TRUE(fd);
  ASSERT_TRUE(files_->write_synced(path("g"), "newer"));
  ASSERT_TRUE(files_->rename(path("g"), path("f")));
  EXPECT_EQ(files_->hash(fd->get()), hash_bytes("old"));
  EXPECT_EQ(files_->stat(fd->get())->size, 3U);
  EXPECT_EQ(files_->hash(path("f")), hash_bytes("newer"));
}

TEST_F(PosixFileSystem, SyncsFilesAndFolders) {
  ASSERT_TRUE(files_->write_synced(path("f"), "x"));
  EXPECT_TRUE(files_->sync(path("f")));
  EXPECT_TRUE(files_->sync_folder(folder_));
  EXPECT_FALSE(files_->sync_folder(path("f")));
}

TEST_F(PosixFileSystem, OnlyOneHoldsALock) {
  auto first = files_->lock(path("lock"));
  ASSERT_TRUE(first);
  EXPECT_EQ(files_->lock(path("lock")).error().code, ErrorCode::kConflict);
  first->reset();
  EXPECT_TRUE(files_->lock(path("lock")));
}

}  // namespace
}  // namespace rockllama
