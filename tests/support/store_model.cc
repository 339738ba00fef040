#include "tests/support/store_model.h"

#include <algorithm>

#include "cache/cache_content.h"

namespace rockllama {
namespace {

bool looks_like(const ModelCache& cache, const ShownCache& shown) {
  if (cache.text() != shown.text) return false;
  const ModelMetadata said = cache.attributes();
  return !shown.text ||
         (said.parent == shown.parent && said.pinned == shown.pinned && said.expires_at == shown.expires_at);
}

// Once each, or they would double with every fault.
void add(const std::vector<ModelCache>& caches, std::vector<ModelCache>* all) {
  for (const ModelCache& cache : caches) {
    if (std::find(all->begin(), all->end(), cache) == all->end()) all->push_back(cache);
  }
}

std::string describe(const ModelCache& cache, const std::map<Offer, std::string>& payloads) {
  if (!cache.text()) return "no cache";
  const ModelMetadata said = cache.attributes();
  std::string words = "'" + *cache.text() + "' after '" + said.parent + "' until " + std::to_string(said.expires_at);
  for (const auto& [offer, payload] : payloads) words += ", " + offer.fingerprint + ": " + payload;
  return words + (said.pinned ? ", pinned" : "");
}

}  // namespace

std::optional<std::string> ModelCache::text() const {
  if (file) return file;
  return metadata ? std::optional(metadata->content) : std::nullopt;
}

ModelCache committed(const ModelCache& before, const std::string& text, const std::map<StateFormat, ModelState>& states,
                     const CacheAttributes& attributes) {
  ModelCache after{.file = text, .metadata = before.attributes()};
  if (!before.metadata || before.metadata->content != text) after.metadata->states.clear();
  after.metadata->content = text;
  if (attributes.parent) after.metadata->parent = *attributes.parent;
  if (attributes.pinned) after.metadata->pinned = *attributes.pinned;
  if (attributes.expires_at) after.metadata->expires_at = *attributes.expires_at;
  for (const auto& [format, state] : states) after.metadata->states[format] = state;
  return after;
}

std::vector<ModelCache> partly_removed(const ModelCache& before, bool states_only) {
  std::vector<ModelCache> outcomes;
  for (int left = 0; left < (states_only ? 4 : 8); ++left) {
    ModelCache cache = before;
    if (cache.metadata && (left & 1) == 0) cache.metadata->states.erase(StateFormat::kChat);
    if (cache.metadata && (left & 2) == 0) cache.metadata->states.erase(StateFormat::kRaw);
    if ((left & 4) != 0) cache.file.reset();
    outcomes.push_back(std::move(cache));
  }
  if (!states_only) outcomes.emplace_back();
  return outcomes;
}

ModelCache with_refused(ModelCache cache, StateFormat format) {
  const bool has_it = cache.metadata && cache.metadata->states.contains(format);
  if (has_it) cache.metadata->states.at(format).usable = false;
  return cache;
}

StoreModel::StoreModel(std::vector<std::string> names) {
  for (std::string& name : names) entries_[std::move(name)];
}

std::optional<std::vector<std::string>> StoreModel::ancestors(const std::string& name, std::string parent) const {
  std::vector<std::string> texts;
  for (std::set<std::string> seen{name}; !parent.empty(); parent = cache(parent).attributes().parent) {
    if (!seen.insert(parent).second || !entries_.contains(parent) || !exists(parent)) return std::nullopt;
    texts.insert(texts.begin(), *cache(parent).text());
  }
  return texts;
}

std::optional<std::vector<std::string>> StoreModel::line(const std::string& name) const {
  if (!exists(name)) return std::nullopt;
  auto texts = ancestors(name, cache(name).attributes().parent);
  if (!texts) return std::nullopt;
  texts->push_back(*cache(name).text());
  const bool all_are_read = std::all_of(texts->begin(), texts->end(),
                                        [](const std::string& text) { return parse_content(text).has_value(); });
  return all_are_read ? texts : std::nullopt;
}

std::set<std::string> StoreModel::descendants(const std::string& name) const {
  std::set<std::string> found;
  for (size_t size = 1; size > 0;) {
    size = found.size();
    for (const auto& [other, entry] : entries_) {
      const std::string& parent = cache(other).attributes().parent;
      if (exists(other) && other != name && (parent == name || found.contains(parent))) found.insert(other);
    }
    size = found.size() - size;
  }
  return found;
}

bool StoreModel::may_be_over(const std::string& name, double now) const {
  const auto ends = [&](const ModelCache& cache) {
    const double end = cache.attributes().expires_at;
    return end != 0 && end <= now;
  };
  const Entry& entry = entries_.at(name);
  return std::any_of(entry.possible.begin(), entry.possible.end(), ends) ||
         std::any_of(entry.after_power_loss.begin(), entry.after_power_loss.end(), ends);
}

std::vector<std::string> StoreModel::over(double now) const {
  const auto expired = [&](const std::string& name) { return exists(name) && may_be_over(name, now); };
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    const std::set<std::string> all = descendants(name);
    if (expired(name) && std::all_of(all.begin(), all.end(), expired)) names.push_back(name);
  }
  return names;
}

void StoreModel::change(const std::string& name, const Outcomes& outcomes, bool durable) {
  Entry& entry = entries_.at(name);
  if (durable) entry.after_power_loss.clear();
  for (ModelCache& cache : entry.possible) {
    const std::vector<ModelCache> all = outcomes(cache);
    if (!durable) {
      add({cache}, &entry.after_power_loss);
      add(all, &entry.after_power_loss);
    }
    cache = all.back();
  }
  const std::vector<ModelCache> changed = std::exchange(entry.possible, {});
  add(changed, &entry.possible);
}

void StoreModel::may_change(const std::string& name, const Outcomes& outcomes) {
  Entry& entry = entries_.at(name);
  const std::vector<ModelCache> before = entry.possible;
  for (const ModelCache& cache : before) add(outcomes(cache), &entry.possible);
  add(entry.possible, &entry.after_power_loss);
}

void StoreModel::edit(const std::string& name, const std::function<void(ModelCache*)>& change) {
  Entry& entry = entries_.at(name);
  for (ModelCache& cache : entry.possible) change(&cache);
  for (ModelCache& cache : entry.after_power_loss) change(&cache);
}

void StoreModel::lose_power() {
  for (auto& [name, entry] : entries_) {
    add(entry.after_power_loss, &entry.possible);
    entry.after_power_loss.clear();
  }
}

std::map<Offer, std::string> StoreModel::payloads(const std::string& name, const ModelCache& cache) const {
  std::map<Offer, std::string> offered;
  const auto texts = line(name);
  if (!texts) return offered;
  for (const auto& [format, state] : cache.attributes().states) {
    if (state.usable && state.built_over == *texts) offered[{format, state.fingerprint}] = state.payload;
  }
  return offered;
}

std::string StoreModel::settle_text(const std::string& name, const ShownCache& shown, double now) {
  Entry& entry = entries_.at(name);
  if (may_be_over(name, now)) entry.possible.emplace_back();
  std::string expected;
  for (const ModelCache& cache : entry.possible) expected += "\n  or " + describe(cache, {});
  std::erase_if(entry.possible, [&](const ModelCache& cache) { return !looks_like(cache, shown); });
  if (!entry.possible.empty()) return "";
  entry.possible = {ModelCache{}};
  return name + " shows '" + shown.text.value_or("(none)") + "' after '" + shown.parent + "' until " +
         std::to_string(shown.expires_at) + "; expected" + expected + "\n";
}

std::string StoreModel::settle_states(const std::string& name, const ShownCache& shown) {
  Entry& entry = entries_.at(name);
  std::string expected;
  std::vector<ModelCache> left;
  for (const ModelCache& cache : entry.possible) {
    const auto offered = payloads(name, cache);
    expected += "\n  or " + describe(cache, offered);
    if (offered == shown.payloads) left.push_back(cache);
  }
  if (!left.empty()) {
    entry.possible = std::move(left);
    return "";
  }
  std::string fault = name + " offers";
  for (const auto& [offer, payload] : shown.payloads) fault += " " + offer.fingerprint + ": " + payload;
  return fault + "; expected" + expected + "\n";
}

// Texts and parents first: they decide which states are offered.
std::string StoreModel::settle(const std::map<std::string, ShownCache>& shown, double now) {
  std::string faults;
  for (const auto& [name, cache] : shown) faults += settle_text(name, cache, now);
  for (const auto& [name, cache] : shown) faults += settle_states(name, cache);
  return faults;
}

}  // namespace rockllama
