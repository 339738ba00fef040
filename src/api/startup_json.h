// The caches made at start as /health and /ready show them. Pure.
#pragma once

#include "api/json_text.h"
#include "service/startup_caches.h"

namespace rockllama::api {

[[nodiscard]] OrderedJson startup_json(const StartupProgress& progress);

}  // namespace rockllama::api
