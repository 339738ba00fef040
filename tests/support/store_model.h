// What a cache store has to show, said as simply as possible: values in memory, no files. Where an operation failed or
// was cut off, the model keeps every outcome that would be whole, until the store shows which one it is.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cache/store_types.h"
#include "domain/prompt_cache.h"

namespace rockllama {

struct ModelState {
  std::string payload;
  std::string fingerprint;
  std::vector<std::string> built_over;  // texts, the oldest ancestor's first, the cache's own last
  bool usable = true;                   // neither refused, nor its file damaged
  bool operator==(const ModelState&) const = default;
};

struct ModelMetadata {
  std::string content;  // the text of the last commit
  std::string parent{};
  bool pinned = false;
  double expires_at = 0;
  std::map<StateFormat, ModelState> states{};
  bool operator==(const ModelMetadata&) const = default;
};

// A cache as its files tell it. Without both there is none.
struct ModelCache {
  std::optional<std::string> file{};  // the text file
  std::optional<ModelMetadata> metadata{};

  [[nodiscard]] std::optional<std::string> text() const;
  [[nodiscard]] ModelMetadata attributes() const { return metadata.value_or(ModelMetadata{}); }
  bool operator==(const ModelCache&) const = default;
};

// What a commit gives.
[[nodiscard]] ModelCache committed(const ModelCache& before, const std::string& text,
                                   const std::map<StateFormat, ModelState>& states, const CacheAttributes& attributes);
// What may be left where a removal of everything, or of the states, breaks off.
[[nodiscard]] std::vector<ModelCache> partly_removed(const ModelCache& before, bool states_only);
// The same with one state that is not offered any more.
[[nodiscard]] ModelCache with_refused(ModelCache cache, StateFormat format);

// The key of a state that is offered.
struct Offer {
  StateFormat format = StateFormat::kChat;
  std::string fingerprint;
  auto operator<=>(const Offer&) const = default;
};
// What a store shows of a cache.
struct ShownCache {
  std::optional<std::string> text{};
  std::string parent{};
  bool pinned = false;
  double expires_at = 0;
  std::map<Offer, std::string> payloads{};
};

class StoreModel {
 public:
  explicit StoreModel(std::vector<std::string> names);

  [[nodiscard]] const ModelCache& cache(const std::string& name) const { return entries_.at(name).possible.front(); }
  [[nodiscard]] bool exists(const std::string& name) const { return cache(name).text().has_value(); }
  // The texts that `parent` and its ancestors have; nothing where one is missing or `name` is among them.
  [[nodiscard]] std::optional<std::vector<std::string>> ancestors(const std::string& name, std::string parent) const;
  // Texts that a request over the cache gets; nothing where it gets none.
  [[nodiscard]] std::optional<std::vector<std::string>> line(const std::string& name) const;
  [[nodiscard]] std::set<std::string> descendants(const std::string& name) const;
  // Whether its time may be over.
  [[nodiscard]] bool may_be_over(const std::string& name, double now) const;
  // Caches whose time is over, and that of all that continue them.
  [[nodiscard]] std::vector<std::string> over(double now) const;

  using Outcomes = std::function<std::vector<ModelCache>(const ModelCache& before)>;
  // It went well, and its last outcome is what came out. One that the power may take back keeps the rest in mind.
  void change(const std::string& name, const Outcomes& outcomes, bool durable);
  // It failed or was cut off: any of these outcomes, or it did not happen.
  void may_change(const std::string& name, const Outcomes& outcomes);
  // A person changes the files, for good.
  void edit(const std::string& name, const std::function<void(ModelCache*)>& change);
  void lose_power();
  // All names at once, at the time `now`. What is wrong; empty where it may be so, and then it is so.
  [[nodiscard]] std::string settle(const std::map<std::string, ShownCache>& shown, double now);

 private:
  struct Entry {
    std::vector<ModelCache> possible{ModelCache{}};  // at least one
    std::vector<ModelCache> after_power_loss{};      // besides those
  };

  [[nodiscard]] std::string settle_text(const std::string& name, const ShownCache& shown, double now);
  [[nodiscard]] std::string settle_states(const std::string& name, const ShownCache& shown);

  [[nodiscard]] std::map<Offer, std::string> payloads(const std::string& name, const ModelCache& cache) const;

  std::map<std::string, Entry> entries_;
};

}  // namespace rockllama
