// Where the build put the simulated RKLLM runtimes.
#pragma once

#include <string>

namespace rockllama {

inline constexpr const char* kSimVersions[] = {"1.1.4", "1.2.0", "1.2.1b1", "1.2.1", "1.2.3", "1.3.0"};

inline std::string sim_library(const std::string& version) {
  return std::string(ROCKLLAMA_RKLLM_SIMS) + "/" + version + "/librkllmrt.so";
}

}  // namespace rockllama
