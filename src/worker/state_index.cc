#include "worker/state_index.h"

#include <algorithm>
#include <bit>
#include <string_view>
#include <utility>

#include "base/hash.h"

namespace rockllama {
namespace {

StatePoint end_of(const KnownState& state) { return {state.key.tokens, state.key.token_hash}; }

std::string_view bytes_of(std::span<const int32_t> tokens) {
  return {reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes()};
}

bool is_anchored(const KnownState& state) {
  return state.anchor.tokens != 0 && state.anchor.tokens == std::bit_floor(state.key.tokens);
}

// Hashes of the beginnings of a prompt, each longer than the one before.
class PrefixHasher {
 public:
  explicit PrefixHasher(std::span<const int32_t> prompt) : prompt_(prompt) {}

  Hash128 hash_of(uint32_t tokens) {
    if (tokens != hashed_) {
      hasher_.update(bytes_of(prompt_.subspan(hashed_, tokens - hashed_)));
      hashed_ = tokens;
      hash_ = hasher_.digest();
    }
    return hash_;
  }

 private:
  std::span<const int32_t> prompt_;
  Hasher hasher_;
  uint32_t hashed_ = 0;
  Hash128 hash_;
};

template <class Lengths>
void add_place(const KnownState& state, const StatePoint& point, Lengths* lengths) {
  if (point.tokens == 0) return;
  (*lengths)[point.tokens].insert({point.token_hash.low, {point.token_hash, &state}});
}

template <class Lengths>
void remove_place(const KnownState& state, const StatePoint& point, Lengths* lengths) {
  const auto places = lengths->find(point.tokens);
  if (places == lengths->end()) return;
  const auto [begin, end] = places->second.equal_range(point.token_hash.low);
  const auto place = std::find_if(begin, end, [&](const auto& entry) { return entry.second.state == &state; });
  if (place != end) places->second.erase(place);
  if (places->second.empty()) lengths->erase(places);
}

bool is_named(const FoundState& found, StateFormat format) {
  const KnownState& state = *found.state;
  return !state.name.empty() && state.format == format && found.tokens == state.key.tokens;
}

template <class Fits>
FoundState longest(std::span<const FoundState> found, const Fits& fits) {
  const auto last = std::find_if(found.rbegin(), found.rend(), fits);
  return last == found.rend() ? FoundState{} : *last;
}

}  // namespace

void StateIndex::apply(protocol::KnownStates change) {
  if (change.reset) {
    states_.clear();
    anchored_.clear();
    others_.clear();
  }
  for (const std::string& id : change.removed) remove(id);
  for (KnownState& state : change.added) add(std::move(state));
}

void StateIndex::add(KnownState state) {
  remove(state.key.id);
  auto owned = std::make_unique<const KnownState>(std::move(state));
  const KnownState& known = *owned;
  states_.emplace(known.key.id, std::move(owned));
  const StatePoint& anchor = known.anchor;
  Lengths& ends = is_anchored(known) ? anchored_[anchor.tokens][anchor.token_hash.low] : others_;
  add_place(known, end_of(known), &ends);
  for (const StatePoint& point : known.points) add_place(known, point, &others_);
}

void StateIndex::remove(const std::string& id) {
  const auto found = states_.find(id);
  if (found == states_.end()) return;
  const KnownState& known = *found->second;
  remove_end(known);
  for (const StatePoint& point : known.points) remove_place(known, point, &others_);
  states_.erase(found);
}

void StateIndex::remove_end(const KnownState& state) {
  if (!is_anchored(state)) return remove_place(state, end_of(state), &others_);
  Groups& groups = anchored_[state.anchor.tokens];
  const auto group = groups.find(state.anchor.token_hash.low);
  remove_place(state, end_of(state), &group->second);
  if (group->second.empty()) groups.erase(group);
  if (groups.empty()) anchored_.erase(state.anchor.tokens);
}

void StateIndex::collect(uint32_t tokens, const std::optional<Hash128>& hash,
                         std::vector<std::pair<uint32_t, const Places*>>* all) const {
  for (auto places = others_.lower_bound(tokens); places != others_.end() && places->first < 2 * tokens; ++places) {
    all->emplace_back(places->first, &places->second);
  }
  if (!hash) return;
  const Groups& groups = anchored_.at(tokens);
  const auto group = groups.find(hash->low);
  if (group == groups.end()) return;
  for (const auto& [length, places] : group->second) all->emplace_back(length, &places);
  std::sort(all->begin(), all->end());
}

std::vector<FoundState> StateIndex::find(std::span<const int32_t> prompt) const {
  std::vector<FoundState> found;
  PrefixHasher hasher(prompt);
  for (uint32_t power = 1; power < prompt.size(); power *= 2) {
    std::vector<std::pair<uint32_t, const Places*>> all;
    collect(power, anchored_.contains(power) ? std::optional(hasher.hash_of(power)) : std::nullopt, &all);
    for (const auto& [tokens, places] : all) {
      if (tokens >= prompt.size()) break;
      const Hash128 hash = hasher.hash_of(tokens);
      const auto [begin, end] = places->equal_range(hash.low);
      for (auto place = begin; place != end; ++place) {
        if (place->second.hash == hash) found.push_back({place->second.state, tokens});
      }
    }
  }
  return found;
}

FoundState longest_named(std::span<const FoundState> found, StateFormat format) {
  return longest(found, [&](const FoundState& one) { return is_named(one, format); });
}

FoundState longest_with_cuts(std::span<const FoundState> found, StateFormat format, std::span<const uint32_t> cuts) {
  return longest(found, [&](const FoundState& one) {
    const std::vector<uint32_t>& own = one.state->cuts;
    const bool is_cut = !own.empty() && own.back() == one.tokens && own.size() <= cuts.size();
    return is_named(one, format) && is_cut && std::equal(own.begin(), own.end(), cuts.begin());
  });
}

FoundState longest_automatic(std::span<const FoundState> found, const Hash128& salt) {
  return longest(found, [&](const FoundState& one) {
    return one.state->name.empty() && (one.state->salt == Hash128{} || one.state->salt == salt);
  });
}

}  // namespace rockllama
