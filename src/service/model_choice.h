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

// The configured default, else the only one. Executor only; kModelNotFound, kInvalidArgument when nothing says which of
// several.
[[nodiscard]] Result<ModelEntry> default_model(ServiceContext* context);

// Empty: the loaded one (used last), else the default one. Executor only; errors as default_model.
[[nodiscard]] Result<ModelChoice> choose_model(ServiceContext* context, const std::string& asked);

}  // namespace rockllama
