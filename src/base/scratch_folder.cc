#include "base/scratch_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace rockllama {
namespace {

constexpr const char* kPrefix = "rockllama-scratch-";
constexpr int kTries = 5;

std::filesystem::path place() {
  const char* named = std::getenv("TMPDIR");
  return named != nullptr && *named != '\0' ? named : "/tmp";
}

// Invalid where it is gone or another process has it.
UniqueFd lock_folder(const std::string& path) {
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status {};
  const bool ours = folder.valid() && ::fstat(folder.get(), &status) == 0 && status.st_uid == ::geteuid();
  if (!ours || ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) return {};
  // Another process may have removed it between the two calls.
  if (::fstat(folder.get(), &status) != 0 || status.st_nlink == 0) return {};
  return folder;
}

}  // namespace

Result<ScratchFolder> ScratchFolder::make() {
  remove_dead_scratch_folders();
  for (int attempt = 0; attempt < kTries; ++attempt) {
    std::string path = (place() / (std::string(kPrefix) + "XXXXXX")).string();
    if (::mkdtemp(path.data()) == nullptr) break;
    if (UniqueFd lock = lock_folder(path); lock.valid()) return ScratchFolder(std::move(path), std::move(lock));
  }
  return fail(ErrorCode::kIo, "No temporary folder can be made; TMPDIR names another place for it.");
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (lock_.valid()) std::filesystem::remove_all(path_, ignored);
}

void remove_dead_scratch_folders() {
  std::error_code error;
  for (std::filesystem::directory_iterator item(place(), error), end; !error && item != end; item.increment(error)) {
    if (!item->path().filename().string().starts_with(kPrefix)) continue;
    const UniqueFd lock = lock_folder(item->path().string());
    std::error_code ignored;
    if (lock.valid()) std::filesystem::remove_all(item->path(), ignored);
  }
}

}  // namespace rockllama
