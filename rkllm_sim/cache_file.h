// The prompt cache file: a header of numbers, the tokens, and the KV state as llama.cpp gives it. There is no checksum
// and nothing that names the model, as in the vendor's; so a file that was cut off crashes whoever loads it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace rkllm_sim {

// What a file holds, in memory and read once.
struct PromptCache {
  std::unique_ptr<uint8_t[]> bytes;
  std::span<const int32_t> tokens;  // these two lie in the bytes
  std::span<const uint8_t> state;
};

// False where the file cannot be written whole; what was written stays. At most `most` bytes, as if the disk were full.
[[nodiscard]] bool write_cache_file(const std::string& path, std::span<const int32_t> tokens,
                                    std::span<const uint8_t> state, size_t most);
// Nothing where the file cannot be read or is of another kind. Crashes where it ends too early.
[[nodiscard]] std::optional<PromptCache> read_cache_file(const std::string& path);

}  // namespace rkllm_sim
