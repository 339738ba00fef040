// The automatic prefixes (finished generations whose cells can be used again) and the choice among them. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/hash.h"
#include "domain/generation.h"
#include "domain/prefix_value.h"

namespace rockllama {

struct AutomaticPrefix {
  uint64_t id = 0;
  std::vector<int32_t> tokens{};  // of its cells: the prompt and what was generated and decoded
  std::vector<uint32_t> cuts{};   // ends of the pieces in which its prompt was decoded
  uint32_t generated_from = 0;    // what lies before was prefilled, all of it
  uint32_t exact_tokens = 0;      // cells up to here were prefilled alone, from cell 0 of an empty buffer
  Hash128 salt{};
  PrefixUse use{};

  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(tokens.size()); }
  // Of its sequence in the KV buffer, among the ids of states (which have slashes).
  [[nodiscard]] std::string resident_id() const { return "#" + std::to_string(id); }
};

// A request that looks for a prefix.
struct PrefixQuery {
  std::span<const int32_t> tokens;
  std::span<const uint32_t> cuts;
  Hash128 salt{};
  ReusePolicy reuse = ReusePolicy::kAll;
  bool over_named_cache = false;  // its answer may depend on nothing but the request and the cache
};

// The largest cut, at most `limit`, up to which both plans have the same pieces; 0 = none.
[[nodiscard]] uint32_t shared_cut(std::span<const uint32_t> a, std::span<const uint32_t> b, uint32_t limit);

// How many tokens of the prefix the request may reuse; 0 = none. A request that continues over generated tokens reuses
// all that it has in common with the prefix; any other only whole pieces, so that it has the same bits as without.
[[nodiscard]] uint32_t reusable_tokens(const AutomaticPrefix& prefix, const PrefixQuery& query);

class PrefixIndex {
 public:
  // `whole_only`: states of the model cannot be cut, so a prefix serves whole or not at all.
  explicit PrefixIndex(bool whole_only) : whole_only_(whole_only) {}

  struct Match {
    const AutomaticPrefix* prefix = nullptr;  // null = none; valid until the next change
    uint32_t tokens = 0;
  };
  // The one that saves most; of equal ones the one used last. Only those that are `usable`.
  [[nodiscard]] Match best(const PrefixQuery& query,
                           const std::function<bool(const AutomaticPrefix&, uint32_t tokens)>& usable) const;
  // Gives it an id. Drops those that the new one continues and can stand for, with their uses, and returns their ids.
  [[nodiscard]] std::vector<uint64_t> add(AutomaticPrefix prefix, double now_s, uint64_t* id);
  // Null = none; valid until the next change.
  [[nodiscard]] AutomaticPrefix* find(uint64_t id);
  [[nodiscard]] const AutomaticPrefix* find(uint64_t id) const { return const_cast<PrefixIndex*>(this)->find(id); }
  void erase(uint64_t id);
  [[nodiscard]] const std::vector<AutomaticPrefix>& all() const { return prefixes_; }

 private:
  bool whole_only_;
  std::vector<AutomaticPrefix> prefixes_;
  uint64_t last_id_ = 0;
};

}  // namespace rockllama
