#include "engines/llama_cpp/prefix_memory.h"

#include <sys/mman.h>

namespace rockllama {

Payload::Payload(size_t size) {
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) return;
  address_ = address;
  size_ = size;
}

Payload::~Payload() {
  if (address_ != nullptr) ::munmap(address_, size_);
}

Payload Payload::copy_of(llama_context* context, int32_t sequence) {
  const size_t size = llama_state_seq_get_size(context, sequence);
  if (size == 0) return {};
  Payload payload(size);
  if (payload.empty()) return {};
  auto* bytes = static_cast<uint8_t*>(payload.address_);
  if (llama_state_seq_get_data(context, bytes, size, sequence) != size) return {};
  return payload;
}

}  // namespace rockllama
