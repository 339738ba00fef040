// The states that exist as files, by the tokens that they hold: finds those that a prompt begins with in one pass over
// it, whatever their number. Pure; owned by the prepare thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "protocol/messages.h"

namespace rockllama {

// A state and one of its places (its end or a point) up to which a prompt has the same tokens.
struct FoundState {
  const KnownState* state = nullptr;  // until the next change of the index
  uint32_t tokens = 0;
};

class StateIndex {
 public:
  void apply(protocol::KnownStates change);
  // All that leave at least one token of the prompt, the shortest first.
  [[nodiscard]] std::vector<FoundState> find(std::span<const int32_t> prompt) const;
  [[nodiscard]] size_t size() const { return states_.size(); }

 private:
  struct Place {
    Hash128 hash;
    const KnownState* state = nullptr;
  };
  using Places = std::unordered_multimap<uint64_t, Place>;  // by the low half of the hash
  using Lengths = std::map<uint32_t, Places>;               // by token count
  using Groups = std::unordered_map<uint64_t, Lengths>;     // by the low half of the anchor's hash

  void add(KnownState state);
  void remove(const std::string& id);
  void remove_end(const KnownState& state);
  // The places of this length and up to twice of it that may be those of a prompt with this hash.
  void collect(uint32_t tokens, const std::optional<Hash128>& hash,
               std::vector<std::pair<uint32_t, const Places*>>* all) const;

  std::unordered_map<std::string, std::unique_ptr<const KnownState>> states_;  // by id
  std::map<uint32_t, Groups> anchored_;  // ends, by the anchor's token count: a power of two
  Lengths others_;                       // points, and ends without an anchor
};

// Of `found`: the longest state of a named cache that serves whole; none where `state` is null.
[[nodiscard]] FoundState longest_named(std::span<const FoundState> found, StateFormat format);
// The longest one of a named cache that was prefilled in the first of these blocks: it has the same bits.
[[nodiscard]] FoundState longest_with_cuts(std::span<const FoundState> found, StateFormat format,
                                           std::span<const uint32_t> cuts);
// The longest automatic one that this caller may use.
[[nodiscard]] FoundState longest_automatic(std::span<const FoundState> found, const Hash128& salt);

}  // namespace rockllama
