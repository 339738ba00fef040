#include "engines/llama_cpp/state_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "base/unique_fd.h"

namespace rockllama {
namespace {

off_t size_of(int file) {
  struct stat info {};
  EXPECT_EQ(::fstat(file, &info), 0);
  return info.st_size;
}

TEST(StateFile, HoldsTheWholePayload) {
  const UniqueFd file(::memfd_create("state", MFD_CLOEXEC));
  EXPECT_TRUE(write_state(file.get(), std::vector<uint8_t>(10'000, 7)));
  EXPECT_EQ(size_of(file.get()), 10'000);
}

// The seal stands for a disk that takes a part and then is full.
TEST(StateFile, KeepsNoRoomWhereItCouldNotBeWrittenWhole) {
  const UniqueFd file(::memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(file.get(), 4096), 0);
  ASSERT_EQ(::fcntl(file.get(), F_ADD_SEALS, F_SEAL_GROW), 0);
  EXPECT_FALSE(write_state(file.get(), std::vector<uint8_t>(10'000, 7)));
  EXPECT_EQ(size_of(file.get()), 0);
}

}  // namespace
}  // namespace rockllama
