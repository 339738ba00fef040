#include "engines/rkllm/state_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "base/copy_file.h"
#include "base/unique_fd.h"

namespace rockllama::rkllm {

Result<std::string> StateFiles::bring(const std::string& id, int file) {
  std::string path = folder_.path() + "/state.rkllm_cache";
  if (!brought_.empty() && brought_ == id) return path;
  brought_.clear();
  const UniqueFd copy(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!copy.valid()) return fail(ErrorCode::kIo, "The state could not be copied for the runtime.");
  if (const auto copied = copy_file(file, copy.get()); !copied) return fail(copied.error());
  brought_ = id;
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
