// Named caches as responses show them. Pure. Sizes are in MB (bytes / 1048576), times in Unix seconds; what never
// happened and what is not there is null.
#pragma once

#include "api/json_text.h"
#include "service/cache_archives.h"
#include "service/caches.h"

namespace rockllama::api {

[[nodiscard]] OrderedJson cache_info_json(const CacheInfo& info);
[[nodiscard]] OrderedJson cache_infos_json(const std::vector<CacheInfo>& infos);

// The answer to a creation.
[[nodiscard]] OrderedJson cache_created_json(const CacheCreated& created);
// The answer to generate-binary: the success object only if there is a state now.
[[nodiscard]] OrderedJson binary_created_json(const CacheCreated& created);
// The answer to an import.
[[nodiscard]] OrderedJson cache_imported_json(const ImportedCache& imported);
[[nodiscard]] OrderedJson cache_progress_json(const CacheProgress& progress);

}  // namespace rockllama::api
