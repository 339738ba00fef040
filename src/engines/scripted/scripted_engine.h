// An engine that follows a script (script.h) instead of a model, for tests of what lies around an engine: load, crash,
// hang, cancel, states. It batches like a real one: one token of each running generation per step.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "domain/model.h"
#include "engine/engine.h"
#include "tokenizer/vocabulary.h"

namespace rockllama {

struct ScriptedHooks {
  EngineSink sink;
  std::function<void()> send_garbage;  // puts a frame on the line that is none; called on the engine thread
};

// Reads the script from spec.file. kNotFound or kInvalidArgument where it cannot. May never return (hang_on_load).
[[nodiscard]] Result<std::unique_ptr<Engine>> make_scripted_engine(const ModelSpec& spec, Vocabulary vocabulary,
                                                                   ScriptedHooks hooks);

}  // namespace rockllama
