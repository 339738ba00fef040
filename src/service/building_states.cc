#include "service/building_states.h"

#include <algorithm>

namespace rockllama {
namespace {

void say_building(const BuildingStates::Build& build, CacheInfo* info) {
  const auto same = [&](const StateInfo& state) {
    return state.engine == build.engine && state.format == build.format;
  };
  auto state = std::find_if(info->binary.begin(), info->binary.end(), same);
  if (state == info->binary.end()) {
    state = info->binary.insert(state, {.engine = build.engine,
                                        .format = build.format,
                                        .created_at = build.began_at,
                                        .modified_at = build.began_at,
                                        .status = StateStatus::kBuilding});
  }
  if (state->status == StateStatus::kReady) return;
  state->status = StateStatus::kBuilding;
  state->reason = "it is being made";
}

}  // namespace

void BuildingStates::begin(const Build& build) {
  const std::lock_guard lock(mutex_);
  builds_.push_back(build);
}

void BuildingStates::end(const Build& build) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find(builds_.begin(), builds_.end(), build);
  if (found != builds_.end()) builds_.erase(found);
}

void BuildingStates::add_to(CacheInfo* info) const {
  const std::lock_guard lock(mutex_);
  for (const Build& build : builds_) {
    if (build.model == info->model_name && build.name == info->cache_name) say_building(build, info);
  }
}

}  // namespace rockllama
