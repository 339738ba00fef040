// The payload of a prefix that may leave the KV buffer, in anonymous memory: the bytes that llama_state_seq_get_data
// gives. Freed memory goes back to the system at once.
#pragma once

#include <llama.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace rockllama {

class Payload {
 public:
  // The state of a sequence; empty where there is no memory for it, or llama.cpp does not give it. Engine thread.
  [[nodiscard]] static Payload copy_of(llama_context* context, int32_t sequence);

  Payload() = default;
  Payload(Payload&& other) noexcept
      : address_(std::exchange(other.address_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Payload& operator=(Payload&& other) noexcept {
    std::swap(address_, other.address_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Payload();

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::span<const uint8_t> bytes() const { return {static_cast<const uint8_t*>(address_), size_}; }

 private:
  explicit Payload(size_t size);

  void* address_ = nullptr;
  size_t size_ = 0;
};

}  // namespace rockllama
