// The slots of all caches that were looked at, and what is known of each without looking again. Owned by the store;
// thread-safe; reads no files. Its lock is taken after any slot's own and before none.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "cache/cache_family.h"
#include "cache/cache_slot.h"

namespace rockllama {

class CacheIndex {
 public:
  CacheIndex(FileSystem* files, std::string root) : files_(files), root_(std::move(root)) {}

  using Key = std::pair<std::string, std::string>;  // model and name
  struct Known {
    Key key;
    CacheSummary summary;
  };

  // Made where there is none.
  [[nodiscard]] std::shared_ptr<CacheSlot> slot(const std::string& model, const std::string& name);
  // What the slot's files say now; nothing where they could not be read: then what was known stays. A cache that is
  // gone is dropped once nobody else holds its slot: names that clients made up must not pile up.
  void give_back(std::shared_ptr<CacheSlot> used, const std::optional<CacheSummary>& summary);
  void forget(const std::string& model);

  // Whether every cache in the model's folder has been looked at once.
  [[nodiscard]] bool complete(const std::string& model);
  void set_complete(const std::string& model);

  [[nodiscard]] std::vector<Known> all();
  [[nodiscard]] std::vector<std::string> names(const std::string& model);
  // Of the model's caches those that have a parent or an end; the others have no say in what Family is for.
  [[nodiscard]] Family family(const std::string& model);

 private:
  struct Entry {
    std::shared_ptr<CacheSlot> slot;
    CacheSummary summary{};
  };

  FileSystem* const files_;
  const std::string root_;
  std::mutex mutex_;
  std::map<Key, Entry> entries_;
  std::set<std::string> complete_;
};

}  // namespace rockllama
