// A folder of one process for temporary files, under TMPDIR or /tmp, locked as long as its owner lives: so what a dead
// process left is told from what is in use, whatever its process id means by now.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace rockllama {

class ScratchFolder {
 public:
  // For this user alone. Removes first what dead processes left. kIo where no folder can be made.
  [[nodiscard]] static Result<ScratchFolder> make();
  ScratchFolder(ScratchFolder&&) = default;
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  // Removes it with all that it holds.
  ~ScratchFolder();

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  ScratchFolder(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd lock_;  // invalid = moved from
};

// Removes the folders of processes that are gone. Any process of the same user may call it at any time.
void remove_dead_scratch_folders();

}  // namespace rockllama
