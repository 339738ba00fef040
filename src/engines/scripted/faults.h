// Brings about what a script's faults say. Owned by the engine thread.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "engines/scripted/script.h"

namespace rockllama {

class Faults {
 public:
  explicit Faults(std::vector<Fault> faults) : faults_(std::move(faults)) {}

  // Each of these ends or stops the process when a fault for it is due, and returns otherwise.
  void at_load();
  void at_start(std::string_view prompt);
  void at_restore();
  void at_save();
  void at_token(uint32_t token);
  // Whether a garbage frame is due instead of this token.
  [[nodiscard]] bool garbage_at(uint32_t token);

 private:
  // Whether a fault of this kind is due; marks its `once` file.
  bool due(FaultKind kind, uint32_t token = 0, std::string_view prompt = {});

  std::vector<Fault> faults_;
};

}  // namespace rockllama
