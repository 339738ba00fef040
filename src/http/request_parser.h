// How the server reads a request with Boost.Beast, and what it says of one that it could not read.
#pragma once

// Asio of Boost 1.74 forgets to include it; g++ 12 notices.
#include <utility>
// The line above has to come first.
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cstdint>

#include "http/router.h"

namespace rockllama::http {

// A string that grows with what arrives: one of Beast would be as large at once as the client says.
struct GrowingBody : boost::beast::http::string_body {
  struct reader : boost::beast::http::string_body::reader {
    using boost::beast::http::string_body::reader::reader;
    void init(const boost::optional<uint64_t>&, boost::system::error_code& error) { error = {}; }
  };
};

using RequestParser = boost::beast::http::request_parser<GrowingBody>;

inline constexpr int kRead = 200;
// kRead, or the status that tells a client why its request was not read; 0 where nobody is there to be told.
[[nodiscard]] int status_of(const boost::system::error_code& error);
[[nodiscard]] const char* message_of(int status);
// A new file for the body, if the request may have one: kUnauthorized without a valid key.
[[nodiscard]] Result<UniqueFd> open_body_file(const BodyFile& wanted, Request& head);
// Why a body could not be kept: 401, 507 or 500.
[[nodiscard]] int status_of(const Error& error);

}  // namespace rockllama::http
