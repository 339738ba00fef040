// From a ModelSpec to everything that a session needs of a model.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "domain/model.h"
#include "engine/engine.h"
#include "worker/preparer.h"

namespace rockllama {

struct LoadHooks {
  EngineSink sink;
  std::function<void()> send_garbage;  // for scripted models
};

struct WorkerModel {
  std::unique_ptr<Engine> engine;
  PreparerModel preparer;
  LoadedModel description;
};

// Takes as long as the engine takes. Fails as the engine does. A missing or faulty chat template is no failure: chats
// get it as their answer.
[[nodiscard]] Result<WorkerModel> load_worker_model(const ModelSpec& spec, LoadHooks hooks);

}  // namespace rockllama
