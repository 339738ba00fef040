// The requests that were cancelled since the engine last looked, and whether the decode call that runs now should be
// broken off. Thread-safe; the engine's thread uses all of it, other threads only add().
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "domain/generation.h"

namespace rockllama {

class CancelSet {
 public:
  void add(RequestId id) {
    const std::lock_guard lock(mutex_);
    ids_.insert(id);
    if (decoding_ == id) abort_ = true;
  }
  [[nodiscard]] std::set<RequestId> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(ids_, {});
  }
  // A decode call for this request alone begins.
  void begin_decode(RequestId id) {
    const std::lock_guard lock(mutex_);
    decoding_ = id;
    abort_ = ids_.contains(id);
  }
  void end_decode() {
    const std::lock_guard lock(mutex_);
    decoding_.reset();
    abort_ = false;
  }
  [[nodiscard]] bool should_abort() const { return abort_; }

 private:
  std::mutex mutex_;
  std::set<RequestId> ids_;
  std::optional<RequestId> decoding_;
  std::atomic<bool> abort_ = false;
};

}  // namespace rockllama
