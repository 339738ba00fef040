// `rockllama doctor`: what this machine and its models are, and what to do about what is wrong.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/server_access.h"

namespace rockllama {

struct DoctorOptions {
  AccessOptions access{};
  std::string root{};  // folder that stands for / when facts are read; empty = this machine
  bool json = false;
};

// Adds the subcommand; gives it, to ask whether it was called.
CLI::App* add_doctor(CLI::App* app, DoctorOptions* options);
// Prints what it found and returns 0, whatever that is; 2 for wrong settings.
[[nodiscard]] int run_doctor(const DoctorOptions& options, const OpenFolder& open_folder);

}  // namespace rockllama
