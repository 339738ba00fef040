// One run of a handle: prompt, prefill, tokens, callbacks, and what stays in the cells. Lives on the thread that runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "rkllm_sim/faults.h"
#include "rkllm_sim/runtime.h"
#include "rkllm_sim/types.h"

namespace rkllm_sim {

class Generation {
 public:
  Generation(Runtime& runtime, const RunOptions& options, const Callback& callback)
      : runtime_(runtime), model_(*runtime.model_), options_(options), callback_(callback), faults_(Faults::read()) {}

  // What rkllm_run returns.
  int run(const Input& input);

 private:
  using Time = std::chrono::steady_clock::time_point;

  // A fault that is planted for run is due at this token of the answer; 0 = before any.
  void strike_at(int32_t token);
  [[nodiscard]] bool prefill(const Input& input);
  // Tokens of the input, those that are left over from the run before included.
  [[nodiscard]] std::vector<int32_t> input_tokens(const Input& input);
  // Puts the cells of the loaded prompt cache in front as far as it goes; how many tokens that are.
  [[nodiscard]] size_t reuse(const std::vector<int32_t>& tokens);
  // Ends the process where the cells cannot take that many more.
  void check_room(size_t tokens) const;

  [[nodiscard]] int generate();
  // Moves the window where the cells are full; false where that cannot be.
  [[nodiscard]] bool make_room();
  // What the callback returned.
  int deliver(int32_t token);
  void deliver_rows();
  int finish();
  int fail(const std::string& reason);
  // Before anything was run: a line in the log, and no callback.
  static int refuse(const std::string& reason);
  // Writes the prompt cache if the run asks for it.
  [[nodiscard]] int save();
  void leave_cells();

  Runtime& runtime_;
  Model& model_;
  const RunOptions& options_;
  const Callback& callback_;
  Faults faults_;
  int32_t prompt_tokens_ = 0;
  std::string held_bytes_;  // of a character that is not whole yet
  Perf perf_;
  Time begin_{};
};

}  // namespace rkllm_sim
