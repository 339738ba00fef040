// The task that the runtime works on, as the engine thread sees it. Plain state; engine thread.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/engine.h"

namespace rockllama::rkllm {

struct RunningTask {
  RequestId id = 0;
  // One of these.
  std::optional<GenerationTask> generation{};
  std::optional<SaveStateTask> save{};
  std::optional<EmbeddingTask> embedding{};
  bool over = false;     // its last event was sent; the run may still be ending
  bool started = false;  // GenerationStarted was sent
  CacheUse use{};
  uint32_t said = 0;  // tokens
  double began_ms = 0;
  double first_token_ms = 0;  // as the clock says; 0 = none yet
  double last_token_ms = 0;
  std::optional<FinishReason> stopped{};  // by the sink or max_tokens
};

}  // namespace rockllama::rkllm
