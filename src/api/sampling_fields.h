// The fields of a completion request that say how tokens are drawn. Pure.
#pragma once

#include "api/field_reader.h"
#include "domain/generation.h"

namespace rockllama::api {

// Faults are left in `fields`.
[[nodiscard]] SamplingParams read_sampling(FieldReader* fields);

}  // namespace rockllama::api
