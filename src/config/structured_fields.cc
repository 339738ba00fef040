#include "config/structured_fields.h"

namespace rockllama {

const std::vector<StructuredField>& structured_fields() {
  static const std::vector<StructuredField> fields = {
      {"startup_caches", nlohmann::json::array(), set_startup_caches},
      {"endpoints", nlohmann::json::object(), set_endpoints},
  };
  return fields;
}

}  // namespace rockllama
