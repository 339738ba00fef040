#include "rkllm_sim/memory_claim.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace rkllm_sim {

std::optional<MemoryClaim> MemoryClaim::take(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0) return std::nullopt;
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return MemoryClaim(descriptor);
  ::close(descriptor);
  return std::nullopt;
}

MemoryClaim::~MemoryClaim() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace rkllm_sim
