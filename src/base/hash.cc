#include "base/hash.h"

#include <xxhash.h>

#include <charconv>
#include <cstdio>

namespace rockllama {
namespace {

Hash128 from_xxh(XXH128_hash_t hash) { return {hash.high64, hash.low64}; }

bool parse_half(std::string_view hex, uint64_t* value) {
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), *value, 16);
  return error == std::errc() && end == hex.data() + hex.size();
}

}  // namespace

Hash128 hash_bytes(std::string_view bytes) { return from_xxh(XXH3_128bits(bytes.data(), bytes.size())); }

Hash128 hash_tokens(std::span<const int32_t> tokens) {
  return from_xxh(XXH3_128bits(tokens.data(), tokens.size_bytes()));
}

std::string to_hex(const Hash128& hash) {
  std::array<char, 33> text{};
  std::snprintf(text.data(), text.size(), "%016llx%016llx", static_cast<unsigned long long>(hash.high),
                static_cast<unsigned long long>(hash.low));
  return text.data();
}

std::optional<Hash128> parse_hash(std::string_view hex) {
  Hash128 hash;
  if (hex.size() != 32 || !parse_half(hex.substr(0, 16), &hash.high) || !parse_half(hex.substr(16), &hash.low)) {
    return std::nullopt;
  }
  return hash;
}

Hasher::Hasher() : state_(XXH3_createState()) { XXH3_128bits_reset(static_cast<XXH3_state_t*>(state_)); }
Hasher::~Hasher() { XXH3_freeState(static_cast<XXH3_state_t*>(state_)); }

void Hasher::update(std::string_view bytes) {
  XXH3_128bits_update(static_cast<XXH3_state_t*>(state_), bytes.data(), bytes.size());
}

Hash128 Hasher::digest() const { return from_xxh(XXH3_128bits_digest(static_cast<XXH3_state_t*>(state_))); }

}  // namespace rockllama
