// The one log line of a request that changes something and is no completion.
#pragma once

#include <memory>

#include "http/message.h"

namespace rockllama::api {

// A writer that passes everything on to `writer` and writes the line when the response is whole.
[[nodiscard]] std::shared_ptr<http::BodyWriter> with_log_line(const http::Request& request,
                                                              std::shared_ptr<http::BodyWriter> writer);

}  // namespace rockllama::api
