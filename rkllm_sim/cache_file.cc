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

std::string as_bytes(const PromptCache& cache) {
  const Header header{kKind, 0, static_cast<int32_t>(cache.tokens.size()), 0, cache.state.size()};
  std::string bytes(kHeaderBytes, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  bytes.append(reinterpret_cast<const char*>(cache.tokens.data()), cache.tokens.size() * sizeof(int32_t));
  bytes.append(reinterpret_cast<const char*>(cache.state.data()), cache.state.size());
  return bytes;
}

}  // namespace

bool write_cache_file(const std::string& path, const PromptCache& cache, size_t most) {
  const std::string bytes = as_bytes(cache);
  const size_t size = std::min(bytes.size(), most);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(size));
  file.close();
  return file.good() && size == bytes.size();
}

std::optional<PromptCache> read_cache_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return std::nullopt;
  std::string bytes(static_cast<size_t>(std::max<std::streamoff>(file.tellg(), 0)), '\0');
  file.seekg(0);
  if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) return std::nullopt;
  Header header{};
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.kind != kKind || header.tokens < 0) return std::nullopt;
  const size_t token_bytes = static_cast<size_t>(header.tokens) * sizeof(int32_t);
  if (bytes.size() < kHeaderBytes + token_bytes + header.state_bytes) crash();
  PromptCache cache;
  cache.tokens.resize(static_cast<size_t>(header.tokens));
  std::memcpy(cache.tokens.data(), bytes.data() + kHeaderBytes, token_bytes);
  const auto state = bytes.begin() + static_cast<ptrdiff_t>(kHeaderBytes + token_bytes);
  cache.state.assign(state, state + static_cast<ptrdiff_t>(header.state_bytes));
  return cache;
}

}  // namespace rkllm_sim
