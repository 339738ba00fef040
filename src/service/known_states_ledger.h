// What a worker was told of the states that exist as files, and what to tell it next. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "protocol/messages.h"

namespace rockllama {

class KnownStatesLedger {
 public:
  // A new life of the worker: it knows nothing.
  void forget();
  // The messages after which the worker knows `now` and nothing else; none where that is so already. They are of a
  // bounded size each, and to be sent in order.
  [[nodiscard]] std::vector<protocol::KnownStates> update(std::vector<KnownState> now);
  // The same for a state that does not serve, whatever the next update says of it. Ids are never given twice.
  [[nodiscard]] std::vector<protocol::KnownStates> withdraw(const std::string& id);

 private:
  bool told_ = false;  // anything in this life
  std::set<std::string> known_;
  std::set<std::string> withdrawn_;
};

}  // namespace rockllama
