#include "api/authentication.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "api/errors.h"
#include "base/one_line.h"

namespace rockllama::api {
namespace {

constexpr std::string_view kScheme = "bearer ";

// The token of an Authorization header; empty where it has another scheme.
std::string_view bearer_token(std::string_view header) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  if (header.size() < kScheme.size() ||
      !std::equal(kScheme.begin(), kScheme.end(), header.begin(), [&](char b, char a) { return same(a, b); })) {
    return {};
  }
  header.remove_prefix(kScheme.size());
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header;
}

}  // namespace

http::Guard require_key(const ApiKeys* keys) {
  return [keys](http::Request& request, http::BodyWriter& writer) {
    const ApiKeys::Caller* caller = keys->find(bearer_token(request.header("authorization")));
    if (caller == nullptr) caller = keys->find(request.header("x-api-key"));
    if (caller != nullptr) {
      request.caller = caller->name;
      return true;
    }
    spdlog::info("request {} caller={} status=401 no valid API key", one_line(request.id), request.remote_address);
    respond_error(writer, {ErrorCode::kUnauthorized, "a valid API key is needed: Authorization: Bearer KEY"});
    return false;
  };
}

}  // namespace rockllama::api
