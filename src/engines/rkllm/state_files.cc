#include "engines/rkllm/state_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "base/copy_file.h"
#include "base/unique_fd.h"

namespace rockllama::rkllm {

Result<std::string> StateFiles::bring(int file) const {
  std::string path = folder_.path() + "/state.rkllm_cache";
  ::unlink(path.c_str());
  const std::string target = "/proc/self/fd/" + std::to_string(file);
  if (::symlink(target.c_str(), path.c_str()) != 0) {
    return fail(ErrorCode::kIo, "There is no way to the state for the runtime.");
  }
  return path;
}

bool StateFiles::was_saved() const {
  std::error_code error;
  const auto size = std::filesystem::file_size(saved_path(), error);
  return !error && size > 0;
}

Result<uint64_t> StateFiles::hand_over(int file) const {
  const UniqueFd saved(::open(saved_path().c_str(), O_RDONLY | O_CLOEXEC));
  if (!saved.valid()) return fail(ErrorCode::kIo, "The state that the runtime wrote cannot be read.");
  return copy_file(saved.get(), file);
}

void StateFiles::drop_saved() const { ::unlink(saved_path().c_str()); }

}  // namespace rockllama::rkllm
