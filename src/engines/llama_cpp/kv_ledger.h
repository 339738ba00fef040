// Who holds which cells of the KV buffer: running generations and resident prefixes that they share. Pure accounting,
// no llama.cpp: it says what fits and which residents must go, its caller moves the cells.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace rockllama {

// A prefix in the buffer, a sequence of its own.
struct Resident {
  std::string state_id;
  int32_t sequence = 0;
  uint32_t tokens = 0;
  uint32_t users = 0;  // running generations that share its cells
  uint64_t last_used = 0;
  bool at_cell_zero = false;  // its cells are 0 to tokens-1, in order
};

// What a generation wants of the buffer.
struct CellRequest {
  uint32_t tokens = 0;        // prompt and answer
  std::string state_id{};     // of the prefix that it may share; empty = none
  uint32_t state_tokens = 0;  // cells of that prefix
  uint32_t reuse_tokens = 0;  // how many of them it shares
  bool restorable = false;    // the prefix can be brought in if it is not resident
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

  // Whether the generation can run to its end beside what runs now, if every idle resident gave way. Alone it may
  // have the whole buffer.
  [[nodiscard]] Fit fit(const CellRequest& request) const;
  [[nodiscard]] bool alone() const { return generations_.empty(); }
  [[nodiscard]] uint32_t cells() const { return limits_.cells; }
  [[nodiscard]] uint32_t used_cells() const;
  // Null if it is not there; valid until the next change.
  [[nodiscard]] const Resident* find(const std::string& state_id) const;

  // These forget residents and return their sequences, whose cells the caller frees. `keep` stays, whatever happens.
  [[nodiscard]] std::vector<int32_t> make_room(uint32_t cells, const std::string& keep);  // as far as possible
  [[nodiscard]] std::vector<int32_t> evict_idle();                                        // over the limit
  [[nodiscard]] std::vector<int32_t> evict_unused(const std::string& keep);
  int32_t remove_resident(const std::string& state_id);

  // Returns the sequence to put it in.
  int32_t add_resident(const std::string& state_id, uint32_t tokens, bool at_cell_zero);
  // `own_cells` are those that it does not share; `shared`: the state id of the resident that it shares, or empty.
  int32_t add_generation(uint32_t own_cells, const std::string& shared);
  void remove_generation(int32_t sequence);

 private:
  struct Holding {
    uint32_t own_cells = 0;
    std::string shared;
  };
  [[nodiscard]] uint32_t pinned_cells(const std::string& also) const;
  [[nodiscard]] const Resident* least_recently_used(const std::string& keep) const;
  [[nodiscard]] int32_t take_sequence();

  LedgerLimits limits_;
  std::vector<int32_t> free_sequences_;
  std::map<std::string, Resident> residents_;
  std::map<int32_t, Holding> generations_;  // by sequence
  uint64_t clock_ = 0;                      // counts uses
};

}  // namespace rockllama
