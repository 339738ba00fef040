#include "engines/rkllm/version_decision.h"

#include <algorithm>
#include <iterator>

namespace rockllama::rkllm {
namespace {

std::string joined(const auto& words, std::string_view between) {
  std::string text;
  for (const auto& word : words) {
    if (!text.empty()) text += between;
    text += word;
  }
  return text;
}

std::string known_versions() {
  std::vector<std::string> known;
  for (const AbiGroup group : kAbiGroups) known.push_back(versions_of(group));
  return joined(known, ", ");
}

tl::unexpected<Error> refuse(const std::string& seen) {
  return fail(ErrorCode::kUnsupported,
              "librkllmrt.so is not used: " + seen + ". If you know its version, set rkllm.version to it.");
}

Result<std::string> version_of(const SeenLibrary& seen) {
  if (!seen.forced_version.empty()) return seen.forced_version;
  if (seen.versions.empty()) return refuse("no version stands in the file");
  if (seen.versions.size() > 1) {
    return refuse("more than one version stands in the file (" + joined(seen.versions, ", ") + ")");
  }
  return *seen.versions.begin();
}

std::vector<std::string> missing_functions(const SeenLibrary& seen, AbiGroup group) {
  std::vector<std::string> missing;
  std::ranges::set_difference(functions_of(group), seen.functions, std::back_inserter(missing));
  return missing;
}

// In words that follow "although".
std::vector<std::string> contradictions(const SeenLibrary& seen, const std::string& version, AbiGroup group) {
  std::vector<std::string> found;
  for (const std::string& other : seen.versions) {
    if (other != version) found.push_back("the file says " + other);
  }
  std::vector<std::string> later;
  std::ranges::set_difference(seen.functions, functions_of(group), std::back_inserter(later));
  if (!later.empty()) found.push_back("it has functions of later versions (" + joined(later, ", ") + ")");
  return found;
}

// The versions whose defaults these can be, in words; empty where they are unlike all.
std::string versions_that_fit(const DefaultParamBytes& defaults) {
  std::vector<std::string> fitting;
  for (const AbiGroup group : kAbiGroups) {
    if (misfit(defaults, group).empty()) fitting.push_back(versions_of(group));
  }
  return joined(fitting, " or ");
}

// Unusual defaults alone contradict nothing; those of another version do, and what would not fit into the struct.
void judge_defaults(const DefaultParamBytes& defaults, AbiGroup group, std::vector<std::string>* against,
                    std::vector<std::string>* warnings) {
  const std::string why = misfit(defaults, group);
  if (why.empty()) return;
  const std::string fitting = versions_that_fit(defaults);
  if (!fitting.empty()) {
    against->push_back("its default parameters are those of " + fitting + " (" + why + ")");
  } else if (written_size(defaults) > param_size(group)) {
    against->push_back("its default parameters are those of no known version (" + why + ")");
  } else {
    warnings->push_back("librkllmrt.so has unusual default parameters: " + why);
  }
}

}  // namespace

Result<VersionDecision> decide_version(const SeenLibrary& seen) {
  const Result<std::string> version = version_of(seen);
  if (!version) return fail(version.error());
  const std::optional<AbiGroup> group = group_of(*version);
  if (!group) return refuse("version " + *version + " is not known (known are " + known_versions() + ")");
  if (const auto missing = missing_functions(seen, *group); !missing.empty()) {
    return refuse("as version " + *version + " it ought to have " + joined(missing, ", ") + ", which it has not");
  }
  std::vector<std::string> against = contradictions(seen, *version, *group);
  std::vector<std::string> warnings;
  judge_defaults(seen.defaults, *group, &against, &warnings);
  if (!against.empty() && seen.forced_version.empty()) {
    return refuse("it says version " + *version + ", but " + joined(against, ", and "));
  }
  for (const std::string& one : against) warnings.push_back("librkllmrt.so is taken for " + *version + ", but " + one);
  return VersionDecision{*version, *group, std::move(warnings)};
}

}  // namespace rockllama::rkllm
