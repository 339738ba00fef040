// Answers a worker's offers of automatic states: into a file where it pays and the budgets allow, else away.
// Thread-safe. answer() and saved() read and write files.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "service/context.h"

namespace rockllama {

class OfferKeeper {
 public:
  OfferKeeper(ServiceContext* context, std::string model) : context_(context), model_(std::move(model)) {}

  // What to tell the worker, with the file to fill or without one. `fingerprint` of the model that offers.
  struct Answer {
    protocol::Keep command;
    UniqueFd file;
  };
  [[nodiscard]] Answer answer(const protocol::Offered& offer, const EngineFigures& figures,
                              const std::string& fingerprint);
  // Whether events with this id are the keeper's.
  [[nodiscard]] bool owns(RequestId id) const;
  void saved(const protocol::StateSaved& event);
  void failed(const protocol::Failed& event);
  // The worker is gone, and with it what it was writing.
  void forget();

 private:
  struct Save {
    PendingState payload;
    AutomaticState state;
  };
  // kUnsupported: it does not pay or does not fit.
  [[nodiscard]] Result<PendingState> begin(const protocol::Offered& offer, const EngineFigures& figures) const;
  [[nodiscard]] std::optional<Save> take(RequestId id);

  ServiceContext* const context_;
  const std::string model_;
  mutable std::mutex mutex_;
  std::map<RequestId, Save> saves_;
};

}  // namespace rockllama
