// Which version a library is, from all that it shows: a pure function, and never a guess.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "engines/rkllm/abi_group.h"
#include "engines/rkllm/default_param.h"

namespace rockllama::rkllm {

struct SeenLibrary {
  std::string forced_version{};       // by the configuration; empty = none
  std::set<std::string> versions{};   // that stand in the file
  std::set<std::string> functions{};  // that it exports, of those that any group declares
  DefaultParamBytes defaults{};
};

struct VersionDecision {
  std::string version;
  AbiGroup group = AbiGroup::k1_1_0;
  std::vector<std::string> warnings{};  // what speaks against a forced version, and what is unusual
};

// kUnsupported where no version is known, where what is seen speaks against it, or where a function is missing. A
// forced version is taken against all but the last.
[[nodiscard]] Result<VersionDecision> decide_version(const SeenLibrary& seen);

}  // namespace rockllama::rkllm
