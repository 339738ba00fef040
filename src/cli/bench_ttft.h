// `rockllama bench ttft`: how much sooner an answer begins over a named prompt cache. Starts servers of its own on free
// ports of 127.0.0.1, with a temporary cache folder; they end with it.
#pragma once

#include <string>
#include <vector>

namespace rockllama {

struct BenchTtftOptions {
  std::string model = "smollm2-135m";  // name of its folder
  std::string models_folder = "models";
  int rounds = 5;
  std::string json_file{};                    // where the figures go, too; empty = nowhere
  std::vector<int> prompt_tokens{365, 2900};  // about; the table says how many it were
};

// Prints the table on stdout and what goes on on stderr. The exit code: 0, or 1 with the reason on stderr.
[[nodiscard]] int run_bench_ttft(const BenchTtftOptions& options);

}  // namespace rockllama
