#include "base/copy_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/unique_fd.h"

namespace rockllama {
namespace {

UniqueFd file_with(const std::string& bytes) {
  std::string path = "/tmp/rockllama-copy-XXXXXX";
  UniqueFd file(::mkstemp(path.data()));
  ::unlink(path.c_str());
  EXPECT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return file;
}

std::string bytes_of(int file) {
  std::string bytes(static_cast<size_t>(::lseek(file, 0, SEEK_END)), '\0');
  EXPECT_EQ(::pread(file, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  return bytes;
}

TEST(CopyFile, CopiesAllFromTheBeginningWithinADevice) {
  const std::string bytes(300'000, 'x');
  const UniqueFd from = file_with(bytes + "end");
  const UniqueFd to = file_with("");
  EXPECT_EQ(*copy_file(from.get(), to.get()), bytes.size() + 3);
  EXPECT_EQ(bytes_of(to.get()), bytes + "end");
}

TEST(CopyFile, CopiesBetweenDevices) {
  const UniqueFd from = file_with("state");
  const UniqueFd to(::memfd_create("copy", 0));
  EXPECT_EQ(*copy_file(from.get(), to.get()), 5u);
  EXPECT_EQ(bytes_of(to.get()), "state");
}

TEST(CopyFile, SaysSoWhereThereIsNoSpace) {
  const UniqueFd from = file_with("state");
  const UniqueFd full(::open("/dev/full", O_WRONLY));
  EXPECT_FALSE(copy_file(from.get(), full.get()));
  EXPECT_EQ(copy_file(-1, full.get()).error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace rockllama
