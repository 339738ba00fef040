// What is done before a freshly loaded model counts as ready: caches of its old name are taken along, and its `system`
// cache is made, from config/system.txt.
#pragma once

#include <functional>
#include <memory>

#include "service/context.h"
#include "service/model_host.h"

namespace rockllama {

// Executor only; calls `done` once. Whatever fails is logged: the model is ready without.
void warm_up(ServiceContext* context, const std::shared_ptr<ModelHost>& host, std::function<void()> done);

}  // namespace rockllama
