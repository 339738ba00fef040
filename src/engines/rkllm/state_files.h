// The runtime takes and gives states by path, the server passes descriptors: between them, a scratch folder. One
// thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/scratch_folder.h"

namespace rockllama::rkllm {

class StateFiles {
 public:
  explicit StateFiles(ScratchFolder folder) : folder_(std::move(folder)) {}

  // A path that leads to `file`, as long as that is open and until the next call: a link, because a copy of a state
  // costs as much as its loading. kIo.
  [[nodiscard]] Result<std::string> bring(int file) const;

  // Where the runtime is to write a state.
  [[nodiscard]] std::string saved_path() const { return folder_.path() + "/saved.rkllm_cache"; }
  [[nodiscard]] bool was_saved() const;  // something lies there, and is not empty
  // Copies what was written into `file`. Gives the bytes; kNoSpace or kIo.
  [[nodiscard]] Result<uint64_t> hand_over(int file) const;
  void drop_saved() const;

 private:
  ScratchFolder folder_;
};

}  // namespace rockllama::rkllm
