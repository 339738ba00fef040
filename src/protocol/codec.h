// Messages to the bytes of a frame, and back. Pure.
//
// Format: the index of the message in its variant (one byte), then its fields in the order of codec_fields.h.
// Integers are LEB128 varints (signed ones zigzag), floats and hashes fixed little-endian bits, bools and enums one
// byte, strings and vectors a count and their elements, optionals a bool and the value, variants an index byte and the
// value. There is no field tag: both sides are of one build (kVersion).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/messages.h"

namespace rockllama::protocol {

[[nodiscard]] std::string encode(const Command& command);
[[nodiscard]] std::string encode(const Event& event);

// kCorrupt for anything that encode does not make: an unknown message, a value out of its range, a frame that is too
// short or too long. Never reads outside `bytes` and allocates no more than a small multiple of them.
[[nodiscard]] Result<Command> decode_command(std::string_view bytes);
[[nodiscard]] Result<Event> decode_event(std::string_view bytes);

}  // namespace rockllama::protocol
