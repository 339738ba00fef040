// Any bytes, read as a frame of either direction. What decodes must encode to a frame that means the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/codec.h"

namespace {

using rockllama::protocol::decode_command;
using rockllama::protocol::decode_event;
using rockllama::protocol::encode;

// Compares bytes, not values: a NaN differs from itself.
template <class Decode>
void check(std::string_view bytes, Decode decode) {
  const auto message = decode(bytes);
  if (!message) return;
  const std::string encoded = encode(*message);
  const auto again = decode(encoded);
  if (!again || encode(*again) != encoded) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check(bytes, decode_command);
  check(bytes, decode_event);
  return 0;
}
