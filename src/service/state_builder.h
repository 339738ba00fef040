// Makes states of caches: a prefill in the worker, into a temporary file of the store. Thread-safe, never blocks.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "service/context.h"
#include "service/model_host.h"

namespace rockllama {

class StateBuilder {
 public:
  explicit StateBuilder(ServiceContext* context) : context_(context) {}

  struct Order {
    std::shared_ptr<ModelHost> host;
    std::string name;
    std::string text;
    StateFormat format = StateFormat::kChat;
  };
  using OnProgress = std::function<void(uint32_t done_tokens, uint32_t total_tokens)>;
  using Built = std::function<void(Result<NewState>)>;
  // Calls `built` once. kUnsupported when the engine cannot save; kNoSpace, kIo, kInternal (the worker died).
  void build(Order order, OnProgress progress, Built built);

  // Builds the missing state of an existing cache behind the scenes and adds it. Does nothing when that is already
  // under way, or failed before for this text and model. `keep` lives until it is done.
  void rebuild(const std::shared_ptr<ModelHost>& host, const std::string& name, StateFormat format,
               std::shared_ptr<void> keep);

 private:
  void rebuild_now(const Order& order, const std::string& key, std::shared_ptr<void> keep);
  void forget(const std::string& key, bool failed);

  ServiceContext* context_;
  std::mutex mutex_;
  std::set<std::string> under_way_;  // and failed ones: model, cache, format, text hash, fingerprint
};

}  // namespace rockllama
