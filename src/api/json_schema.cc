#include "api/json_schema.h"

#include <algorithm>

namespace rockllama::api {
namespace {

constexpr size_t kMaxSchemaBytes = 64u << 10;
constexpr size_t kMaxPatternBytes = 1024;  // parsed by recursion

// No deeper than the body that it came in.
bool has_long_pattern(const Json& schema) {
  if (!schema.is_structured()) return false;
  if (schema.is_object()) {
    const auto pattern = schema.find("pattern");
    if (pattern != schema.end() && pattern->is_string() &&
        pattern->get_ref<const std::string&>().size() > kMaxPatternBytes) {
      return true;
    }
  }
  return std::any_of(schema.begin(), schema.end(), has_long_pattern);
}

}  // namespace

std::optional<std::string> schema_problem(const Json& schema) {
  if (schema.dump().size() > kMaxSchemaBytes) return "must be a schema of at most 64 KiB";
  if (has_long_pattern(schema)) return "must have no pattern of more than 1024 bytes";
  return std::nullopt;
}

}  // namespace rockllama::api
