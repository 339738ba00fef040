#include "service/state_feed.h"

#include <utility>

namespace rockllama {

StateFeed::StateFeed(CacheStore* store, std::string model, Send send)
    : store_(store), model_(std::move(model)), send_(std::move(send)) {}

void StateFeed::begin(const std::string& fingerprint, bool has_tokenizer) {
  {
    const std::lock_guard lock(mutex_);
    ledger_.forget();
    fingerprint_ = fingerprint;
    has_tokenizer_ = has_tokenizer;
  }
  refresh();
}

void StateFeed::end() {
  const std::lock_guard lock(mutex_);
  fingerprint_.clear();
}

// One at a time, and the store is asked without the lock: it may say in the middle of the answer that it changed.
void StateFeed::refresh() {
  std::unique_lock lock(mutex_);
  again_ = true;
  if (std::exchange(refreshing_, true)) return;
  while (std::exchange(again_, false) && !fingerprint_.empty()) {
    const std::string fingerprint = fingerprint_;
    const bool by_text = !has_tokenizer_;
    lock.unlock();
    std::vector<KnownState> states = store_->known_states(model_, fingerprint);
    TextIndex texts = by_text ? index_of(states, fingerprint) : TextIndex();
    lock.lock();
    if (fingerprint_ != fingerprint) continue;
    texts_ = std::move(texts);
    tell(std::move(states));
  }
  refreshing_ = false;
}

void StateFeed::tell(std::vector<KnownState> states) {
  for (const protocol::KnownStates& message : ledger_.update(std::move(states))) send_(message);
}

void StateFeed::withdraw(const std::string& id) {
  const std::lock_guard lock(mutex_);
  for (const protocol::KnownStates& message : ledger_.withdraw(id)) send_(message);
}

TextIndex StateFeed::index_of(const std::vector<KnownState>& states, const std::string& fingerprint) const {
  TextIndex texts;
  for (const KnownState& state : states) {
    if (state.name.empty()) continue;
    const auto reference = store_->reference(model_, state.name, state.format, fingerprint);
    const bool is_text = reference && reference->line.size() == 1 && reference->line.front().is_text();
    if (is_text) texts.add(state.name, state.format, reference->line.front().text);
  }
  return texts;
}

std::optional<std::string> StateFeed::cache_of(const Prompt& prompt) const {
  const std::lock_guard lock(mutex_);
  return texts_.find(prompt);
}

}  // namespace rockllama
