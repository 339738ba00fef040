#include "engines/llama_cpp/state_restore.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "engines/llama_cpp/llama_model.h"

namespace rockllama {
namespace {

class MappedFile {
 public:
  explicit MappedFile(int file) {
    struct stat info {};
    if (::fstat(file, &info) != 0 || info.st_size <= 0) return;
    size_ = static_cast<size_t>(info.st_size);
    address_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    if (valid()) ::madvise(address_, size_, MADV_WILLNEED);
  }
  ~MappedFile() {
    if (valid()) ::munmap(address_, size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] bool valid() const { return address_ != MAP_FAILED; }
  [[nodiscard]] std::span<const uint8_t> bytes() const { return {static_cast<const uint8_t*>(address_), size_}; }

 private:
  size_t size_ = 0;
  void* address_ = MAP_FAILED;
};

// Sliding-window models keep only the last positions, so there only the end is checked.
bool holds_all(const StateTarget& target) {
  llama_memory_t memory = llama_get_memory(target.context);
  const bool begins =
      llama_memory_seq_pos_min(memory, target.sequence) == 0 || !states_can_be_cut(llama_get_model(target.context));
  return begins && llama_memory_seq_pos_max(memory, target.sequence) + 1 == static_cast<llama_pos>(target.tokens);
}

}  // namespace

Status restore_payload(const StateTarget& target, std::span<const uint8_t> payload, const StateLayout& layout) {
  if (Status checked = check_payload(payload, target.tokens, layout); !checked) return checked;
  const size_t read = llama_state_seq_set_data(target.context, payload.data(), payload.size(), target.sequence);
  if (read == payload.size() && holds_all(target)) return {};
  llama_memory_seq_rm(llama_get_memory(target.context), target.sequence, -1, -1);
  // Not for sure the state's fault: it may be for want of a place.
  return fail(ErrorCode::kInternal, "llama.cpp refused the state.");
}

Result<uint64_t> restore_file(const StateTarget& target, int file, const StateLayout& layout) {
  const MappedFile mapped(file);
  if (!mapped.valid()) return fail(ErrorCode::kIo, "The state file is empty or cannot be mapped.");
  if (Status restored = restore_payload(target, mapped.bytes(), layout); !restored) return fail(restored.error());
  return mapped.bytes().size();
}

}  // namespace rockllama
