// Which pages of other origins may read the answers, as browsers ask (CORS). Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "http/message.h"

namespace rockllama::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

// "https://chat.example", or "*" for pages of all origins; none = no page of another origin.
struct CorsRules {
  std::vector<std::string> origins{};
};

// What the response to `request` must carry; empty where it comes from no page, or from one that may not.
[[nodiscard]] Headers cors_headers(const CorsRules& rules, const Request& request);
// Whether a browser only asks what it may send.
[[nodiscard]] bool is_preflight(const Request& request);
// The answer to it, beside cors_headers(); `methods` as in "GET, POST".
[[nodiscard]] Headers preflight_headers(const Request& request, const std::string& methods);

}  // namespace rockllama::http
