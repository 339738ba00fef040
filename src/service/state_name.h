// Which state a StateKey::id names: "<model>/<cache>/<format>/<generation>".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "domain/prompt_cache.h"

namespace rockllama {

struct StateName {
  std::string model;
  std::string cache;
  StateFormat format;
  bool operator==(const StateName&) const = default;
};

// Nothing where `id` is not of that form.
[[nodiscard]] std::optional<StateName> parse_state_id(std::string_view id);

}  // namespace rockllama
