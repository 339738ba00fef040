// What a response looks like on the wire. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

namespace rockllama::http {

// What of the request decides how its response is framed.
struct Framing {
  bool head_only = false;  // HEAD
  bool chunked = true;     // false for HTTP/1.0: a stream then ends with the connection
  bool keep_alive = true;
  std::string request_id{};
  std::vector<std::pair<std::string, std::string>> headers{};  // of every response
};

// "OK"; "Unknown" for a status that this server does not use.
[[nodiscard]] const char* reason_phrase(int status);

// Status line and headers with the empty line. `length` of the body; none = a stream. Control characters in header
// values become '?'.
[[nodiscard]] std::string head_text(const ResponseHead& head, const Framing& framing, std::optional<uint64_t> length);

// `bytes` (not empty) as one chunk of a chunked body.
[[nodiscard]] std::string chunk_text(std::string_view bytes);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace rockllama::http
