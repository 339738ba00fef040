// The engine over the vendor's runtime: one task at a time, each on the runtime's own thread, so that a cancel and
// further credit come through while a call blocks.
#pragma once

#include <memory>

#include "engine/engine.h"
#include "engines/rkllm/rkllm_model.h"

namespace rockllama::rkllm {

// kIo where there is no place for temporary files. The engine may not be destroyed while a task runs in code that
// hangs: end the process instead.
[[nodiscard]] Result<std::unique_ptr<Engine>> make_rkllm_engine(const ModelSpec& spec, RkllmModel model,
                                                                EngineSink sink);

}  // namespace rockllama::rkllm
