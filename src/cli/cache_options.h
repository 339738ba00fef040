// The flags of `rockllama cache` and `rockllama models`.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "cli/server_access.h"

namespace rockllama {

struct CacheOptions {
  AccessOptions access{};
  std::string model{};  // empty = the only one
  bool json = false;
  std::string name{};                // of the cache
  std::vector<std::string> names{};  // of warm
  // create
  std::string prompt{};
  std::string file{};
  std::string messages{};
  std::string parent{};
  std::string format = "both";
  double ttl_s = 0;  // 0 = for ever
  bool pinned = false;
  bool no_overwrite = false;
  bool text_only = false;
  bool retry_binary = false;
  // rm
  bool cascade = false;
  bool binary_only = false;
  // export, import
  bool no_states = false;
  std::string output{};
  std::string input = "-";
  std::string new_name{};
};

// Returns the exit code: 0 fine, 1 failed, 2 wrong usage.
using CacheCommand = int (*)(const CacheOptions& options, const ServerAccess& access);

// Adds both commands to `app`; which one was called stands in `chosen` after the parsing.
void add_cache_commands(CLI::App* app, CacheOptions* options, CacheCommand* chosen);
// Finds out whom to ask, and runs it.
[[nodiscard]] int run_cache_command(CacheCommand command, const CacheOptions& options, const OpenFolder& open_folder);

}  // namespace rockllama
