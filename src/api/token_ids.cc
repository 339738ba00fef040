#include "api/token_ids.h"

#include <limits>

namespace rockllama::api {

std::optional<std::vector<int32_t>> read_token_ids(const Json& list) {
  if (!list.is_array()) return std::nullopt;
  std::vector<int32_t> ids;
  for (const Json& id : list) {
    if (!id.is_number_integer() || id < 0 || id > std::numeric_limits<int32_t>::max()) return std::nullopt;
    ids.push_back(id.get<int32_t>());
  }
  return ids;
}

}  // namespace rockllama::api
