// Which model a request means.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"
#include "service/context.h"

namespace rockllama {

struct ModelChoice {
  ModelEntry entry;
  std::string alias_cache{};  // of name@cache; empty = none
};

// Empty: the loaded one (used last), else the configured default, else the only one. Executor only; kModelNotFound,
// kInvalidArgument when nothing says which of several.
[[nodiscard]] Result<ModelChoice> choose_model(ServiceContext* context, const std::string& asked);

}  // namespace rockllama
