#include "engines/llama_cpp/state_file.h"

#include <unistd.h>

#include <cerrno>

namespace rockllama {
namespace {

Status write_all(int file, std::span<const uint8_t> payload) {
  size_t written = 0;
  while (written < payload.size()) {
    const ssize_t count =
        ::pwrite(file, payload.data() + written, payload.size() - written, static_cast<off_t>(written));
    if (count > 0) {
      written += static_cast<size_t>(count);
    } else if (count == 0 || errno != EINTR) {
      const bool no_space = count < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG);
      return no_space ? fail(ErrorCode::kNoSpace, "There is no space left for the state.")
                      : fail(ErrorCode::kIo, "Writing the state failed.");
    }
  }
  return {};
}

}  // namespace

// The half of a state is of no use, and on a full disk it would take the room that the cache's text needs.
Status write_state(int file, std::span<const uint8_t> payload) {
  Status written = write_all(file, payload);
  if (!written) (void)::ftruncate(file, 0);
  return written;
}

}  // namespace rockllama
