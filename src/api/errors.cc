#include "api/errors.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "api/api.h"

namespace rockllama::api {
namespace {

constexpr const char* kInvalidRequest = "invalid_request_error";
constexpr const char* kRateLimit = "rate_limit_error";
constexpr const char* kServerError = "server_error";

struct Shape {
  int status;
  const char* type;
  const char* code;  // may be null
};

Shape shape_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return {400, kInvalidRequest, nullptr};
    case ErrorCode::kUnauthorized:
      return {401, kInvalidRequest, "invalid_api_key"};
    case ErrorCode::kUnsupportedContent:
      return {400, kInvalidRequest, "unsupported_content"};
    case ErrorCode::kUnsupported:
      return {400, kInvalidRequest, "unsupported"};
    case ErrorCode::kContextLengthExceeded:
      return {400, kInvalidRequest, "context_length_exceeded"};
    case ErrorCode::kNotFound:
      return {404, kInvalidRequest, "not_found"};
    case ErrorCode::kModelNotFound:
      return {404, kInvalidRequest, "model_not_found"};
    case ErrorCode::kConflict:
      return {409, kInvalidRequest, "conflict"};
    case ErrorCode::kTooLarge:
      return {413, kInvalidRequest, "too_large"};
    case ErrorCode::kQueueFull:
      return {429, kRateLimit, "queue_full"};
    case ErrorCode::kCancelled:
      return {499, kInvalidRequest, "cancelled"};
    case ErrorCode::kUnavailable:
      return {503, kServerError, "unavailable"};
    case ErrorCode::kNoSpace:
      return {507, kServerError, "no_space"};
    case ErrorCode::kIo:
    case ErrorCode::kCorrupt:
    case ErrorCode::kInternal:
      break;
  }
  return {500, kServerError, "internal_error"};
}

int default_retry_s(ErrorCode code) {
  if (code == ErrorCode::kQueueFull) return 1;
  return code == ErrorCode::kUnavailable ? 5 : 0;
}

// Each word with a slash may be a path.
std::string without_paths(const std::string& message) {
  std::string text;
  for (size_t begin = 0; begin < message.size();) {
    const size_t end = std::min(message.find(' ', begin), message.size());
    const std::string_view word = std::string_view(message).substr(begin, end - begin);
    text += word.find('/') == std::string_view::npos ? word : "...";
    if (end < message.size()) text += ' ';
    begin = end + 1;
  }
  return text;
}

std::string public_message(const Error& error) {
  if (status_of(error.code) != 500) return error.message;
  const bool plain = !error.message.empty() && error.message.find_first_of("\\\n") == std::string::npos;
  return plain ? without_paths(error.message) : "internal error; the server's log says more";
}

OrderedJson shaped(const std::string& message, const std::string& param, const Shape& shape) {
  OrderedJson error = {{"message", message}, {"type", shape.type}, {"param", nullptr}, {"code", nullptr}};
  if (!param.empty()) error["param"] = param;
  if (shape.code != nullptr) error["code"] = shape.code;
  return {{"error", std::move(error)}};
}

const char* type_of_status(int status) {
  if (status == 429) return kRateLimit;
  return status >= 500 ? kServerError : kInvalidRequest;
}

}  // namespace

int status_of(ErrorCode code) { return shape_of(code).status; }

OrderedJson error_json(const Error& error) { return shaped(public_message(error), error.param, shape_of(error.code)); }

OrderedJson rate_limit_json(const std::string& message) {
  return shaped(message, "", {429, kRateLimit, "rate_limit_exceeded"});
}

http::ResponseHead error_head(const Error& error) {
  http::ResponseHead head{.status = status_of(error.code)};
  const int default_s = default_retry_s(error.code);
  if (default_s > 0) head.headers.emplace_back("Retry-After", std::to_string(std::max(error.retry_after_s, default_s)));
  if (error.code == ErrorCode::kUnauthorized) head.headers.emplace_back("WWW-Authenticate", "Bearer");
  return head;
}

void respond_error(http::BodyWriter& writer, const Error& error) {
  writer.respond(error_head(error), to_text(error_json(error)));
}

void respond_json(http::BodyWriter& writer, const OrderedJson& json, int status) {
  writer.respond({.status = status}, to_text(json));
}

std::string error_body(int status, const std::string& message) {
  return to_text(shaped(message, "", {status, type_of_status(status), nullptr}));
}

}  // namespace rockllama::api
