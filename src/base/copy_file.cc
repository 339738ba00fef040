#include "base/copy_file.h"

#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace rockllama {
namespace {

constexpr size_t kMostAtOnce = size_t{1} << 30;

tl::unexpected<Error> copy_error(int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return full ? fail(ErrorCode::kNoSpace, "There is no space left for the copy of a file.")
              : fail(ErrorCode::kIo, "A file could not be copied.");
}

// Some devices know no copy_file_range between each other; then sendfile.
ssize_t copy_some(int from, off_t* offset, int to, size_t size) {
  const ssize_t count = ::copy_file_range(from, offset, to, nullptr, size, 0);
  const bool unknown = count < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP);
  return unknown || count == 0 ? ::sendfile(to, from, offset, size) : count;
}

}  // namespace

Result<uint64_t> copy_file(int from, int to) {
  struct stat status {};
  if (::fstat(from, &status) != 0 || !S_ISREG(status.st_mode)) return copy_error(EINVAL);
  if (::lseek(to, 0, SEEK_SET) != 0) return copy_error(errno);
  off_t offset = 0;
  while (offset < status.st_size) {
    const size_t left = static_cast<size_t>(status.st_size - offset);
    const ssize_t count = copy_some(from, &offset, to, left < kMostAtOnce ? left : kMostAtOnce);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return copy_error(count == 0 ? EIO : errno);
  }
  return static_cast<uint64_t>(offset);
}

}  // namespace rockllama
