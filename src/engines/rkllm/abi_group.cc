#include "engines/rkllm/abi_group.h"

#include <algorithm>

namespace rockllama::rkllm {
namespace {

struct KnownVersion {
  std::string_view version;
  AbiGroup group;
};
constexpr KnownVersion kVersions[] = {
#include "engines/rkllm/generated/versions.inc"
};

struct DeclaredFunction {
  std::string_view name;
  AbiGroup group;
};
constexpr DeclaredFunction kFunctions[] = {
#include "engines/rkllm/generated/functions.inc"
};

}  // namespace

std::string versions_of(AbiGroup group) {
  const auto of_group = [&](const KnownVersion& known) { return known.group == group; };
  const auto* first = std::find_if(std::begin(kVersions), std::end(kVersions), of_group);
  const auto* end = std::find_if_not(first, std::end(kVersions), of_group);
  const auto* last = std::prev(end);
  return first == last ? std::string(first->version)
                       : std::string(first->version) + " to " + std::string(last->version);
}

std::optional<AbiGroup> group_of(std::string_view version) {
  for (const KnownVersion& known : kVersions) {
    if (known.version == version) return known.group;
  }
  return std::nullopt;
}

std::set<std::string> functions_of(AbiGroup group) {
  std::set<std::string> names;
  for (const DeclaredFunction& function : kFunctions) {
    if (function.group == group) names.emplace(function.name);
  }
  return names;
}

Features features_of(AbiGroup group) {
  const bool from_1_2_0 = group >= AbiGroup::k1_2_0;
  const bool from_1_2_1 = group >= AbiGroup::k1_2_1;
  return {.keep_history = from_1_2_0,
          .clear_kv_cache = from_1_2_0,
          .chat_template = from_1_2_0,
          .role = from_1_2_1,
          .thinking = from_1_2_1,
          .function_tools = from_1_2_1,
          .kv_cache_size = from_1_2_1,
          .perf = from_1_2_1,
          .sampling_per_run = group >= AbiGroup::k1_3_0};
}

}  // namespace rockllama::rkllm
