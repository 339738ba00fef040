// Stands for the NPU's memory where a second model does not fit: held by one handle at a time, in whatever process.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace rkllm_sim {

class MemoryClaim {
 public:
  // Nothing where another handle holds it. `path`: a file that all processes agree on; it is made.
  static std::optional<MemoryClaim> take(const std::string& path);

  MemoryClaim(MemoryClaim&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  MemoryClaim& operator=(MemoryClaim&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~MemoryClaim();

 private:
  explicit MemoryClaim(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace rkllm_sim
