// Ids of requests, for the log and the header x-request-id. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace rockllama::http {

// Not given out before by this process.
[[nodiscard]] std::string make_request_id();
// Whether a client's own id may stand in headers and log lines.
[[nodiscard]] bool usable_as_id(std::string_view id);

}  // namespace rockllama::http
