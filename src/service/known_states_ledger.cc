#include "service/known_states_ledger.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rockllama {
namespace {

// Far below the frame limit, so that prompts that wait behind are not held up.
constexpr size_t kMessageBytes = 1u << 20;

size_t size_of(const KnownState& state) {
  return sizeof state + state.name.size() + state.key.id.size() + state.cuts.size() * sizeof state.cuts.front() +
         state.points.size() * sizeof state.points.front();
}

// The message that has room for `bytes` more.
protocol::KnownStates* with_room(size_t bytes, size_t* used, std::vector<protocol::KnownStates>* messages) {
  if (messages->empty() || *used + bytes > kMessageBytes) {
    messages->emplace_back();
    *used = 0;
  }
  *used += bytes;
  return &messages->back();
}

}  // namespace

void KnownStatesLedger::forget() { *this = {}; }

std::vector<protocol::KnownStates> KnownStatesLedger::update(std::vector<KnownState> now) {
  std::erase_if(now, [this](const KnownState& state) { return withdrawn_.contains(state.key.id); });
  std::set<std::string> ids;
  for (const KnownState& state : now) ids.insert(state.key.id);
  std::vector<protocol::KnownStates> messages;
  size_t used = 0;
  for (const std::string& id : known_) {
    if (!ids.contains(id)) with_room(id.size(), &used, &messages)->removed.push_back(id);
  }
  for (KnownState& state : now) {
    if (!known_.contains(state.key.id)) {
      with_room(size_of(state), &used, &messages)->added.push_back(std::move(state));
    }
  }
  if (!told_ && messages.empty()) messages.emplace_back();
  if (!told_) messages.front().reset = true;
  told_ = true;
  known_ = std::move(ids);
  return messages;
}

std::vector<protocol::KnownStates> KnownStatesLedger::withdraw(const std::string& id) {
  withdrawn_.insert(id);
  if (known_.erase(id) == 0) return {};
  return {{.removed = {id}}};
}

}  // namespace rockllama
