// Makes states of caches: a prefill in the worker, into a temporary file of the store. Thread-safe, never blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "service/building_states.h"
#include "service/context.h"
#include "service/model_host.h"

namespace rockllama {

// Whether what failed so may go well another time, for the same text and model.
[[nodiscard]] bool may_pass(ErrorCode code);

class StateBuilder {
 public:
  explicit StateBuilder(ServiceContext* context) : context_(context) {}

  struct Order {
    std::shared_ptr<ModelHost> host;
    std::string name;
    std::string parent;  // that it continues, or empty
    std::string text;    // as it is stored
    CacheLine line;      // what it means, with what it continues
    StateFormat format = StateFormat::kChat;
    bool retry = false;  // also where saving ended the worker before
  };
  using OnProgress = std::function<void(uint32_t done_tokens, uint32_t total_tokens)>;
  using Built = std::function<void(Result<NewState>)>;
  // Calls `built` once. kUnsupported when the engine cannot save, or the runtime ends when it saves, as is remembered;
  // kNoSpace, kIo, kInternal (the worker died).
  void build(Order order, OnProgress progress, Built built);
  [[nodiscard]] const BuildingStates& building() const { return building_; }

  // Builds the missing state of an existing cache behind the scenes and adds it. Does nothing when that is already
  // under way, can never be done for this text and model, or failed a moment ago. `keep` lives until it is done.
  void rebuild(const std::shared_ptr<ModelHost>& host, const std::string& name, StateFormat format,
               std::shared_ptr<void> keep);

 private:
  struct Attempt {
    uint32_t failures = 0;
    double not_before_ms = 0;  // of the steady clock; infinite while it is under way, or where it never helps
  };
  [[nodiscard]] std::optional<LentState> lend(const Order& order) const;
  void rebuild_now(const Order& order, const std::string& key, std::shared_ptr<void> keep);
  [[nodiscard]] bool begin(const std::string& key);
  void end(const std::string& key, const Status& status);

  ServiceContext* context_;
  BuildingStates building_;
  std::mutex mutex_;
  std::map<std::string, Attempt> attempts_;  // by model, cache, format, text hash, fingerprint
};

}  // namespace rockllama
