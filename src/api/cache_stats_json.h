// What prompt caches may take, what they take, and what reuse costs here, as the listings show it. Pure.
#pragma once

#include "api/json_text.h"
#include "service/caches.h"

namespace rockllama::api {

// The `stats` object. A limit that is not set and a figure that is not measured are null.
[[nodiscard]] OrderedJson cache_stats_json(const CacheStats& stats);

}  // namespace rockllama::api
