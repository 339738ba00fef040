// The runtime takes and gives states by path, the server passes descriptors: between them, files in a scratch folder.
// One thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/scratch_folder.h"

namespace rockllama::rkllm {

class StateFiles {
 public:
  explicit StateFiles(ScratchFolder folder) : folder_(std::move(folder)) {}

  // The path of a copy of `file`, the payload of the state `id`. The last one is kept, because the next request mostly
  // asks for the same. kNoSpace or kIo.
  [[nodiscard]] Result<std::string> bring(const std::string& id, int file);

  // Where the runtime is to write a state.
  [[nodiscard]] std::string saved_path() const { return folder_.path() + "/saved.rkllm_cache"; }
  [[nodiscard]] bool was_saved() const;  // something lies there, and is not empty
  // Copies what was written into `file`. Gives the bytes; kNoSpace or kIo.
  [[nodiscard]] Result<uint64_t> hand_over(int file) const;
  void drop_saved() const;

 private:
  ScratchFolder folder_;
  std::string brought_;  // id of the state whose copy is there
};

}  // namespace rockllama::rkllm
