// XXH3-128 (xxHash, seed 0): the checksum of state files, texts, token lists and model files. Not cryptographic.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rockllama {

struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const Hash128&) const = default;
};

[[nodiscard]] Hash128 hash_bytes(std::string_view bytes);
[[nodiscard]] Hash128 hash_tokens(std::span<const int32_t> tokens);
// 32 lower-case hexadecimal digits, high half first.
[[nodiscard]] std::string to_hex(const Hash128& hash);
// Nothing where `hex` is not 32 hexadecimal digits.
[[nodiscard]] std::optional<Hash128> parse_hash(std::string_view hex);

// Hashes in pieces, for files.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  void update(std::string_view bytes);
  [[nodiscard]] Hash128 digest() const;

 private:
  void* state_;  // XXH3_state_t
};

}  // namespace rockllama
