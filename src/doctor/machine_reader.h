// Reads a Machine from /proc and /sys, or from a folder that looks like them. What is not there is left out.
#pragma once

#include <map>
#include <string>

#include "doctor/machine.h"

namespace rockllama::doctor {

struct MachineSources {
  std::string root{};                                // before every path: "" is this machine
  std::string runtime_setting{};                     // path of librkllmrt.so in the configuration; empty = none
  std::map<std::string, std::string> environment{};  // RKLLM_LIB_PATH, LD_LIBRARY_PATH
};

[[nodiscard]] Machine read_machine(const MachineSources& sources);

}  // namespace rockllama::doctor
