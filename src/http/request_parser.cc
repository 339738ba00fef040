#include "http/request_parser.h"

namespace rockllama::http {
namespace {

namespace beast = boost::beast;
using boost::system::error_code;

bool is_bad_request(const error_code& error) {
  return error.category() == make_error_code(beast::http::error::bad_method).category() &&
         error != beast::http::error::end_of_stream && error != beast::http::error::partial_message;
}

}  // namespace

int status_of(const error_code& error) {
  if (!error) return kRead;
  if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow) return 431;
  if (error == beast::http::error::body_limit) return 413;
  if (error == beast::error::timeout) return 0;
  return is_bad_request(error) ? 400 : 0;
}

const char* message_of(int status) {
  switch (status) {
    case 401:
      return "a valid API key is needed: Authorization: Bearer KEY";
    case 408:
      return "the request did not arrive within its time";
    case 431:
      return "the request header is too large";
    case 413:
      return "the request body is too large";
    case 500:
      return "the request body could not be kept";
    case 507:
      return "there is no space on the disk for the request body";
    default:
      return "this is not an HTTP/1.1 request";
  }
}

Result<UniqueFd> open_body_file(const BodyFile& wanted, Request& head) {
  if (!wanted.admits || wanted.admits(head)) return wanted.open();
  return fail(ErrorCode::kUnauthorized, "no valid API key");
}

int status_of(const Error& error) {
  if (error.code == ErrorCode::kUnauthorized) return 401;
  return error.code == ErrorCode::kNoSpace ? 507 : 500;
}

}  // namespace rockllama::http
