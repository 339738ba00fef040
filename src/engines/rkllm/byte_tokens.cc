#include "engines/rkllm/byte_tokens.h"

namespace rockllama::rkllm {
namespace {

constexpr size_t kLongestCharacter = 4;

// Bytes that a character needs which begins with `first`; 1 for what begins none.
size_t character_size(uint8_t first) {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}

}  // namespace

std::vector<int32_t> bytes_as_tokens(std::string_view text) {
  std::vector<int32_t> bytes;
  bytes.reserve(text.size());
  for (const char c : text) bytes.push_back(static_cast<uint8_t>(c));
  return bytes;
}

std::string text_of_bytes(std::span<const int32_t> bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const int32_t byte : bytes) text.push_back(static_cast<char>(byte));
  for (size_t back = 1; back <= kLongestCharacter && back <= text.size(); ++back) {
    const auto byte = static_cast<uint8_t>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    if (character_size(byte) > back) text.resize(text.size() - back);
    break;
  }
  return text;
}

}  // namespace rockllama::rkllm
