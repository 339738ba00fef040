// Tells the worker of one model which states exist as files: all of them at the beginning of each of its lives, then
// what changed. Thread-safe; reads files. Not to be called under locks that `send` takes.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "cache/cache_store.h"
#include "service/known_states_ledger.h"
#include "service/text_index.h"

namespace rockllama {

class StateFeed {
 public:
  using Send = std::function<void(const protocol::KnownStates&)>;
  StateFeed(CacheStore* store, std::string model, Send send);

  // A worker is up that knows nothing. Where it has no tokenizer, caches are found by their text here.
  void begin(const std::string& fingerprint, bool has_tokenizer);
  void end();  // it is gone
  // The store changed.
  void refresh();
  // The state does not serve; it is not offered again in this life.
  void withdraw(const std::string& id);
  // The cache whose text the prompt brings. Always nothing where the worker has a tokenizer: it finds them by itself.
  [[nodiscard]] std::optional<std::string> cache_of(const Prompt& prompt) const;

 private:
  void tell(std::vector<KnownState> states);
  [[nodiscard]] TextIndex index_of(const std::vector<KnownState>& states, const std::string& fingerprint) const;

  CacheStore* const store_;
  const std::string model_;
  const Send send_;

  mutable std::mutex mutex_;
  std::string fingerprint_;  // empty: there is no worker to tell
  bool has_tokenizer_ = true;
  bool refreshing_ = false;
  bool again_ = false;  // the store changed meanwhile
  KnownStatesLedger ledger_;
  TextIndex texts_;
};

}  // namespace rockllama
