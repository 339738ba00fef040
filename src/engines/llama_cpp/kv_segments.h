// Which sequences hold which cells of the KV buffer, counted: a cell that several hold counts once. A segment is a run
// of cells that the same sequences hold; sharing a part of one splits it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace rockllama {

class KvSegments {
 public:
  // A new sequence: the first `shared_tokens` cells of `base` (which holds that many; ignored when 0), then `cells`
  // of its own.
  void add(int32_t sequence, uint32_t cells, int32_t base = -1, uint32_t shared_tokens = 0);
  // The sequence keeps its first `tokens` cells.
  void cut(int32_t sequence, uint32_t tokens);
  void remove(int32_t sequence) { cut(sequence, 0), sequences_.erase(sequence); }

  [[nodiscard]] uint32_t used() const { return used_; }
  [[nodiscard]] uint32_t cells_of(int32_t sequence) const;
  // Cells that at least one of `sequences` holds.
  [[nodiscard]] uint32_t held_by(const std::vector<int32_t>& sequences) const;
  // How many of the sequence's first `tokens` cells one of `others` holds, too.
  [[nodiscard]] uint32_t held_in_front(int32_t sequence, uint32_t tokens, const std::vector<int32_t>& others) const;

 private:
  using SegmentId = uint64_t;
  struct Segment {
    uint32_t cells = 0;
    uint32_t holders = 0;
  };
  [[nodiscard]] std::set<SegmentId> segments_of(const std::vector<int32_t>& sequences) const;
  void split(SegmentId id, uint32_t cells);
  // Makes a segment end after the sequence's first `tokens`; returns how many segments stand before that.
  size_t border(int32_t sequence, uint32_t tokens);

  std::map<SegmentId, Segment> segments_;
  std::map<int32_t, std::vector<SegmentId>> sequences_;  // in the order of positions
  SegmentId last_id_ = 0;
  uint32_t used_ = 0;
};

}  // namespace rockllama
