#include "http/cors.h"

#include <algorithm>

namespace rockllama::http {
namespace {

constexpr const char* kExposed =
    "x-request-id, x-prompt-cache, retry-after, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, "
    "x-ratelimit-reset-requests";
constexpr const char* kPreflightSeconds = "600";

}  // namespace

Headers cors_headers(const CorsRules& rules, const Request& request) {
  const std::string_view origin = request.header("origin");
  if (origin.empty()) return {};
  const bool any = std::find(rules.origins.begin(), rules.origins.end(), "*") != rules.origins.end();
  if (any) return {{"Access-Control-Allow-Origin", "*"}, {"Access-Control-Expose-Headers", kExposed}};
  if (std::find(rules.origins.begin(), rules.origins.end(), origin) == rules.origins.end()) return {};
  return {{"Access-Control-Allow-Origin", std::string(origin)},
          {"Vary", "Origin"},
          {"Access-Control-Expose-Headers", kExposed}};
}

bool is_preflight(const Request& request) {
  return request.method == "OPTIONS" && !request.header("access-control-request-method").empty();
}

Headers preflight_headers(const Request& request, const std::string& methods) {
  Headers headers = {{"Access-Control-Allow-Methods", methods}, {"Access-Control-Max-Age", kPreflightSeconds}};
  const std::string_view wanted = request.header("access-control-request-headers");
  if (!wanted.empty()) headers.emplace_back("Access-Control-Allow-Headers", std::string(wanted));
  return headers;
}

}  // namespace rockllama::http
