#include "service/state_name.h"

namespace rockllama {
namespace {

std::string_view take_part(std::string_view* rest) {
  const size_t slash = rest->find('/');
  const std::string_view part = rest->substr(0, slash);
  rest->remove_prefix(slash == std::string_view::npos ? rest->size() : slash + 1);
  return part;
}

}  // namespace

std::optional<StateName> parse_state_id(std::string_view id) {
  const std::string_view model = take_part(&id);
  const std::string_view cache = take_part(&id);
  const std::string_view format = take_part(&id);
  if (model.empty() || cache.empty() || id.empty() || (format != "chat" && format != "raw")) return std::nullopt;
  return StateName{std::string(model), std::string(cache), format == "chat" ? StateFormat::kChat : StateFormat::kRaw};
}

}  // namespace rockllama
