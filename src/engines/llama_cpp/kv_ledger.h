// Who holds which cells of the KV buffer: running generations, and resident prefixes whose cells they share. Pure
// accounting, no llama.cpp: it says what fits and who must leave first, its caller moves the cells.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engines/llama_cpp/kv_segments.h"

namespace rockllama {

// A prefix in the buffer, a sequence of its own.
struct Resident {
  std::string id;
  int32_t sequence = 0;
  uint32_t tokens = 0;
  uint64_t last_used = 0;
  bool at_cell_zero = false;  // its cells are 0 to tokens-1, in order
};

// What a generation wants of the buffer.
struct CellRequest {
  uint32_t tokens = 0;          // prompt and answer
  std::string resident{};       // whose cells it shares, if it is there; empty = none
  uint32_t reuse_tokens = 0;    // how many of them
  uint32_t restore_tokens = 0;  // of the state that is brought in if it is not there; 0 = none is
  uint32_t running_tokens = 0;  // how many of them it shares with a running generation, in place of a resident
};

struct LedgerLimits {
  uint32_t cells = 0;
  uint32_t generations = 0;     // at once
  uint32_t idle_residents = 0;  // that stay when they have no user
};

enum class Fit : uint8_t { kNow, kLater, kNever };

class KvLedger {
 public:
  explicit KvLedger(const LedgerLimits& limits);

  // Whether the generation can run to its end beside what runs now, if every resident gave way. Alone it may have the
  // whole buffer.
  [[nodiscard]] Fit fit(const CellRequest& request) const;
  [[nodiscard]] bool alone() const { return generations_.empty(); }
  [[nodiscard]] uint32_t cells() const { return limits_.cells; }
  [[nodiscard]] uint32_t used_cells() const { return segments_.used(); }
  // Null if it is not there; valid until the next change.
  [[nodiscard]] const Resident* find(const std::string& id) const;
  [[nodiscard]] std::vector<std::string> residents() const;
  // Whether a running generation was begun over it.
  [[nodiscard]] bool in_use(const std::string& id) const;

  // Who must leave for `cells` more cells and `sequences` more sequences; nobody when there is room, or when only
  // `keep` is left. Those in use leave last: what generations share of them stays.
  [[nodiscard]] std::optional<std::string> leaves_for(uint32_t cells, size_t sequences, const std::string& keep) const;
  // The least recently used without a user, when there are more of them than the limit.
  [[nodiscard]] std::optional<std::string> leaves_idle() const;

  // Each returns the sequence.
  int32_t add_resident(const std::string& id, uint32_t tokens, bool at_cell_zero);
  int32_t remove_resident(const std::string& id);
  // Of `tokens` cells, the first `reuse_tokens` of them those of the resident `base` (empty and 0 = none).
  int32_t add_generation(uint32_t tokens, const std::string& base, uint32_t reuse_tokens);
  // The same, sharing with the running generation `base`.
  int32_t add_follower(uint32_t tokens, int32_t base, uint32_t reuse_tokens);
  void remove_generation(int32_t sequence);
  // The generation ends and becomes a resident of its first `tokens` cells. `id` is new.
  void keep_generation(int32_t sequence, const std::string& id, uint32_t tokens, bool at_cell_zero);

 private:
  [[nodiscard]] std::vector<int32_t> generation_sequences() const;
  [[nodiscard]] const Resident* leaves_first(const std::string& keep) const;
  [[nodiscard]] int32_t take_sequence();
  void put_resident(const std::string& id, int32_t sequence, uint32_t tokens, bool at_cell_zero);

  LedgerLimits limits_;
  KvSegments segments_;
  std::vector<int32_t> free_sequences_;
  std::map<std::string, Resident> residents_;
  std::map<int32_t, std::string> generations_;  // by sequence: the resident that it was begun over, or empty
  uint64_t clock_ = 0;                          // counts uses
};

}  // namespace rockllama
