// The bodies of the requests under /v1/cache. Pure. Whether a name can be a cache's name is the service's to say.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/field_reader.h"
#include "service/caches.h"

namespace rockllama::api {

struct CreateCacheCall {
  CreateCache request{};  // without the model and the text
  CacheContent content{};
  bool stream = false;  // progress as server-sent events
};
// kInvalidArgument or kUnsupported with the path of the field at fault.
[[nodiscard]] Result<CreateCacheCall> parse_create_cache(std::string_view body);

struct GenerateBinaryCall {
  std::string name;
  std::optional<std::string> prompt{};
  bool stream = false;  // progress as server-sent events
};
[[nodiscard]] Result<GenerateBinaryCall> parse_generate_binary(std::string_view body);

}  // namespace rockllama::api
