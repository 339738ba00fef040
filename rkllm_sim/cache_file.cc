#include "rkllm_sim/cache_file.h"

#include <algorithm>
#include <cstring>
#include <fstream>

#include "rkllm_sim/log.h"

namespace rkllm_sim {
namespace {

constexpr int32_t kKind = 43;
constexpr size_t kHeaderBytes = 296;

// Of the header's numbers only these mean something.
struct Header {
  int32_t kind;
  int32_t reserved;
  int32_t tokens;
  int32_t unused;
  uint64_t state_bytes;
};

std::string as_bytes(std::span<const int32_t> tokens, std::span<const uint8_t> state) {
  const Header header{kKind, 0, static_cast<int32_t>(tokens.size()), 0, state.size()};
  std::string bytes(kHeaderBytes, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  bytes.append(reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes());
  bytes.append(reinterpret_cast<const char*>(state.data()), state.size());
  return bytes;
}

}  // namespace

bool write_cache_file(const std::string& path, std::span<const int32_t> tokens, std::span<const uint8_t> state,
                      size_t most) {
  const std::string bytes = as_bytes(tokens, state);
  const size_t size = std::min(bytes.size(), most);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(size));
  file.close();
  return file.good() && size == bytes.size();
}

std::optional<PromptCache> read_cache_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return std::nullopt;
  const auto size = static_cast<size_t>(std::max<std::streamoff>(file.tellg(), 0));
  PromptCache cache{.bytes = std::make_unique_for_overwrite<uint8_t[]>(size), .tokens = {}, .state = {}};
  file.seekg(0);
  if (!file.read(reinterpret_cast<char*>(cache.bytes.get()), static_cast<std::streamsize>(size))) return std::nullopt;
  Header header{};
  if (size < sizeof header) return std::nullopt;
  std::memcpy(&header, cache.bytes.get(), sizeof header);
  if (header.kind != kKind || header.tokens < 0) return std::nullopt;
  const auto tokens = static_cast<size_t>(header.tokens);
  const size_t before_state = kHeaderBytes + tokens * sizeof(int32_t);
  if (size < before_state + header.state_bytes) crash();
  cache.tokens = {reinterpret_cast<const int32_t*>(cache.bytes.get() + kHeaderBytes), tokens};
  cache.state = {cache.bytes.get() + before_state, header.state_bytes};
  return cache;
}

}  // namespace rkllm_sim
