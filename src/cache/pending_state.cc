#include "cache/cache_store.h"

namespace rockllama {

PendingState::PendingState(PendingState&& other) noexcept
    : files_(other.files_), path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)) {}

PendingState::~PendingState() {
  if (!path_.empty()) (void)files_->remove(path_);
}

}  // namespace rockllama
