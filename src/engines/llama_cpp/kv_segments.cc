#include "engines/llama_cpp/kv_segments.h"

#include <algorithm>

namespace rockllama {

void KvSegments::add(int32_t sequence, uint32_t cells, int32_t base, uint32_t shared_tokens) {
  std::vector<SegmentId> ids;
  if (shared_tokens != 0) {
    const size_t shared = border(base, shared_tokens);
    const std::vector<SegmentId>& of_base = sequences_[base];
    ids.assign(of_base.begin(), of_base.begin() + static_cast<std::ptrdiff_t>(shared));
    for (const SegmentId id : ids) ++segments_[id].holders;
  }
  if (cells != 0) {
    ids.push_back(++last_id_);
    segments_[last_id_] = {cells, 1};
    used_ += cells;
  }
  sequences_[sequence] = std::move(ids);
}

void KvSegments::cut(int32_t sequence, uint32_t tokens) {
  const size_t kept = border(sequence, tokens);
  std::vector<SegmentId>& ids = sequences_[sequence];
  for (size_t i = kept; i < ids.size(); ++i) {
    Segment& segment = segments_[ids[i]];
    if (--segment.holders != 0) continue;
    used_ -= segment.cells;
    segments_.erase(ids[i]);
  }
  ids.resize(kept);
}

uint32_t KvSegments::cells_of(int32_t sequence) const {
  const auto found = sequences_.find(sequence);
  uint32_t cells = 0;
  if (found == sequences_.end()) return cells;
  for (const SegmentId id : found->second) cells += segments_.at(id).cells;
  return cells;
}

std::set<KvSegments::SegmentId> KvSegments::segments_of(const std::vector<int32_t>& sequences) const {
  std::set<SegmentId> held;
  for (const int32_t sequence : sequences) {
    const auto found = sequences_.find(sequence);
    if (found != sequences_.end()) held.insert(found->second.begin(), found->second.end());
  }
  return held;
}

uint32_t KvSegments::held_by(const std::vector<int32_t>& sequences) const {
  uint32_t cells = 0;
  for (const SegmentId id : segments_of(sequences)) cells += segments_.at(id).cells;
  return cells;
}

uint32_t KvSegments::held_in_front(int32_t sequence, uint32_t tokens, const std::vector<int32_t>& others) const {
  const std::set<SegmentId> held = segments_of(others);
  uint32_t cells = 0;
  uint32_t begin = 0;
  for (const SegmentId id : sequences_.at(sequence)) {
    if (begin >= tokens) break;
    const uint32_t size = std::min(segments_.at(id).cells, tokens - begin);
    if (held.contains(id)) cells += size;
    begin += size;
  }
  return cells;
}

size_t KvSegments::border(int32_t sequence, uint32_t tokens) {
  uint32_t begin = 0;
  size_t index = 0;
  for (; index < sequences_[sequence].size() && begin < tokens; ++index) {
    const SegmentId id = sequences_[sequence][index];
    if (begin + segments_[id].cells > tokens) split(id, tokens - begin);
    begin += segments_[id].cells;
  }
  return index;
}

void KvSegments::split(SegmentId id, uint32_t cells) {
  Segment& front = segments_[id];
  const SegmentId rest = ++last_id_;
  segments_[rest] = {front.cells - cells, front.holders};
  front.cells = cells;
  for (auto& [sequence, ids] : sequences_) {
    const auto found = std::find(ids.begin(), ids.end(), id);
    if (found != ids.end()) ids.insert(found + 1, rest);
  }
}

}  // namespace rockllama
