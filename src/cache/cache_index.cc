#include "cache/cache_index.h"

namespace rockllama {

std::shared_ptr<CacheSlot> CacheIndex::slot(const std::string& model, const std::string& name) {
  const std::lock_guard guard(mutex_);
  auto& slot = entries_[{model, name}].slot;
  if (!slot) slot = std::make_shared<CacheSlot>(files_, root_ + "/" + model, model, name);
  return slot;
}

void CacheIndex::give_back(std::shared_ptr<CacheSlot> used, const std::optional<CacheSummary>& summary) {
  const std::lock_guard guard(mutex_);
  const auto found = entries_.find({used->model(), used->name()});
  used.reset();
  if (found == entries_.end()) return;
  if (summary) found->second.summary = *summary;
  if (!found->second.summary.exists && found->second.slot.use_count() == 1) entries_.erase(found);
}

void CacheIndex::forget(const std::string& model) {
  const std::lock_guard guard(mutex_);
  std::erase_if(entries_, [&](const auto& entry) { return entry.first.first == model; });
  complete_.erase(model);
}

bool CacheIndex::complete(const std::string& model) {
  const std::lock_guard guard(mutex_);
  return complete_.contains(model);
}

void CacheIndex::set_complete(const std::string& model) {
  const std::lock_guard guard(mutex_);
  complete_.insert(model);
}

std::vector<CacheIndex::Known> CacheIndex::all() {
  const std::lock_guard guard(mutex_);
  std::vector<Known> known;
  known.reserve(entries_.size());
  for (const auto& [key, entry] : entries_) {
    if (entry.summary.exists) known.push_back({key, entry.summary});
  }
  return known;
}

std::vector<std::string> CacheIndex::names(const std::string& model) {
  const std::lock_guard guard(mutex_);
  std::vector<std::string> names;
  for (auto entry = entries_.lower_bound({model, ""}); entry != entries_.end() && entry->first.first == model;
       ++entry) {
    names.push_back(entry->first.second);
  }
  return names;
}

Family CacheIndex::family(const std::string& model) {
  const std::lock_guard guard(mutex_);
  Family family;
  for (auto entry = entries_.lower_bound({model, ""}); entry != entries_.end() && entry->first.first == model;
       ++entry) {
    const CacheSummary& summary = entry->second.summary;
    const bool matters = summary.exists && (!summary.parent.empty() || summary.expires_at != 0);
    if (matters) family[entry->first.second] = {summary.parent, summary.expires_at};
  }
  return family;
}

}  // namespace rockllama
