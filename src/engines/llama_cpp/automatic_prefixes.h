// Finished generations that can be used again (automatic prefixes), with copies of their cells in memory: which one a
// request can continue, which go when there is no room, and the offers of those to the server. Whether one also is in
// the KV buffer is the buffer's business. Used on the engine's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engines/llama_cpp/engine_speeds.h"
#include "engines/llama_cpp/prefix_index.h"
#include "engines/llama_cpp/prefix_memory.h"
#include "engines/llama_cpp/state_payload.h"

namespace rockllama {

struct AutomaticSettings {
  bool enabled = true;
  uint64_t memory_bytes = 0;  // for all copies; 0 = none are made
  bool offer_evicted = false;
  bool whole_only = false;  // see PrefixIndex
};

class AutomaticPrefixes {
 public:
  struct Hooks {
    std::function<bool(const AutomaticPrefix&)> is_resident;  // in the KV buffer
    std::function<void(const PrefixOffered&)> offer;
  };
  // `speeds` outlives this.
  AutomaticPrefixes(const AutomaticSettings& settings, const StateLayout& layout, const EngineSpeeds* speeds,
                    Hooks hooks);

  [[nodiscard]] bool enabled() const { return settings_.enabled; }
  [[nodiscard]] const PrefixIndex& index() const { return index_; }
  [[nodiscard]] AutomaticPrefix* find(uint64_t id) { return index_.find(id); }
  // Whether the buffer or a copy has it, and using it is no slower than prefilling.
  [[nodiscard]] bool can_serve(const AutomaticPrefix& prefix, uint32_t tokens) const;
  // Null = none.
  [[nodiscard]] const Payload* copy(uint64_t id) const;
  [[nodiscard]] uint64_t copied_bytes() const { return copied_bytes_; }

  // See PrefixIndex::add; the copies of those that it returns are gone.
  [[nodiscard]] std::vector<uint64_t> add(AutomaticPrefix prefix, uint64_t* id);
  void count_use(uint64_t id);
  void forget(uint64_t id);
  // Whether a copy was not refused before, with the same others beside it.
  [[nodiscard]] bool wants_copy(uint64_t id) const { return copy(id) == nullptr && !refused_.contains(id); }
  // Copies its cells from the sequence, if another copy does not hold nearly all of it, and there is room beside what
  // is worth more: less valuable ones go.
  bool make_copy(uint64_t id, llama_context* context, int32_t sequence);

  // Offers the most valuable ones that have a copy.
  void offer_all();
  [[nodiscard]] size_t unanswered_offers() const { return offers_.size(); }
  // Writes what was offered; kNotFound where it waited too long. Nothing is left of it.
  [[nodiscard]] Result<SavedState> write_offer(uint64_t offer, int file);
  void forget_offer(uint64_t offer);

 private:
  struct Offer {
    uint64_t id = 0;
    AutomaticPrefix prefix;
    Payload payload;
  };
  [[nodiscard]] double value_of(uint64_t id) const;
  [[nodiscard]] bool adds_little(const AutomaticPrefix& prefix) const;
  [[nodiscard]] bool make_room(uint64_t bytes, uint64_t id);
  [[nodiscard]] Payload take_copy(uint64_t id);
  void let_go(uint64_t id);
  void offer(AutomaticPrefix prefix, Payload payload);
  [[nodiscard]] bool worth_offering(const AutomaticPrefix& prefix, const Payload& payload) const;

  AutomaticSettings settings_;
  StateLayout layout_;
  const EngineSpeeds* speeds_;
  Hooks hooks_;
  PrefixIndex index_;
  std::map<uint64_t, Payload> copies_;
  uint64_t copied_bytes_ = 0;
  std::set<uint64_t> refused_;  // to be asked again when something changes
  std::deque<Offer> offers_;    // unanswered, the oldest first
  uint64_t last_offer_ = 0;
};

}  // namespace rockllama
