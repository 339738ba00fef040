#include "engines/llama_cpp/state_payload.h"

#include <array>
#include <cstring>
#include <vector>

#include "engines/llama_cpp/llama_model.h"

namespace rockllama {
namespace {

constexpr size_t kCellCountOffset = 12;  // behind magic, sequence and number of streams
constexpr size_t kCellsOffset = 16;
constexpr size_t kCellBytes = 12;  // position, number of sequences, sequence

uint32_t read_u32(std::span<const uint8_t> payload, size_t offset) {
  uint32_t value = 0;
  std::memcpy(&value, payload.data() + offset, sizeof(value));
  return value;
}

bool lists_cells(std::span<const uint8_t> payload, uint32_t tokens) {
  if (payload.size() < kCellsOffset + uint64_t{tokens} * kCellBytes) return false;
  if (read_u32(payload, kCellCountOffset) != tokens) return false;
  for (uint32_t i = 0; i < tokens; ++i) {
    const size_t cell = kCellsOffset + size_t{i} * kCellBytes;
    if (read_u32(payload, cell) != i || read_u32(payload, cell + 4) != 1) return false;
  }
  return true;
}

bool decode_one(llama_context* context, int32_t token) {
  return llama_decode(context, llama_batch_get_one(&token, 1)) == 0;
}

}  // namespace

Status check_payload(std::span<const uint8_t> payload, uint32_t tokens, const StateLayout& layout) {
  if (payload.empty() || tokens == 0) return fail(ErrorCode::kCorrupt, "The state is empty.");
  if (layout.known && payload.size() != layout.base_bytes + tokens * layout.token_bytes) {
    return fail(ErrorCode::kCorrupt, "The state has the wrong size.");
  }
  if (layout.cells_listed && !lists_cells(payload, tokens)) {
    return fail(ErrorCode::kCorrupt, "The state does not hold the cells that it should.");
  }
  return {};
}

Result<StateLayout> learn_layout(llama_context* context) {
  StateLayout layout;
  std::array<uint64_t, 2> sizes{};
  for (uint64_t& size : sizes) {
    if (!decode_one(context, 0)) return fail(ErrorCode::kInternal, "The model cannot decode a token.");
    size = llama_state_seq_get_size(context, 0);
  }
  if (states_can_be_cut(llama_get_model(context))) {
    std::vector<uint8_t> payload(sizes[1]);
    llama_state_seq_get_data(context, payload.data(), payload.size(), 0);
    layout = {true, 2 * sizes[0] - sizes[1], sizes[1] - sizes[0], lists_cells(payload, 2)};
  }
  llama_memory_clear(llama_get_memory(context), true);
  return layout;
}

}  // namespace rockllama
