#include "http/response_text.h"

#include <array>
#include <charconv>

#include "base/one_line.h"

namespace rockllama::http {
namespace {

void add_header(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ").append(one_line(std::string(value))).append("\r\n");
}

}  // namespace

const char* reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Payload Too Large";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

std::string head_text(const ResponseHead& head, const Framing& framing, std::optional<uint64_t> length) {
  std::string text = "HTTP/1.1 " + std::to_string(head.status) + " " + reason_phrase(head.status) + "\r\n";
  add_header(text, "Content-Type", head.content_type);
  if (length) {
    add_header(text, "Content-Length", std::to_string(*length));
  } else if (framing.chunked) {
    add_header(text, "Transfer-Encoding", "chunked");
  }
  const bool ends_with_connection = !length && !framing.chunked;
  if (!framing.keep_alive || ends_with_connection) {
    add_header(text, "Connection", "close");
  } else if (!framing.chunked) {
    add_header(text, "Connection", "keep-alive");
  }
  if (!framing.request_id.empty()) add_header(text, "x-request-id", framing.request_id);
  for (const auto& [name, value] : framing.headers) add_header(text, name, value);
  for (const auto& [name, value] : head.headers) add_header(text, name, value);
  text += "\r\n";
  return text;
}

std::string chunk_text(std::string_view bytes) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), bytes.size(), 16).ptr;
  std::string text;
  text.reserve(bytes.size() + 20);
  return text.append(digits.data(), end).append("\r\n").append(bytes).append("\r\n");
}

}  // namespace rockllama::http
