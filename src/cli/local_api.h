// The HTTP API without HTTP: a request goes to its handler in this process. For commands on a folder that no server has
// open. One thread at a time.
#pragma once

#include "http/http_client.h"
#include "http/router.h"

namespace rockllama {

// Blocks until the handler has answered. The router outlives the call. kIo where the answer breaks off.
[[nodiscard]] Result<http::ClientResponse> ask_locally(const http::Router& router, const http::ClientRequest& request);

}  // namespace rockllama
