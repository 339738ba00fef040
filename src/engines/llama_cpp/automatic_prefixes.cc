#include "engines/llama_cpp/automatic_prefixes.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "engines/llama_cpp/state_file.h"

namespace rockllama {
namespace {

constexpr size_t kUnansweredOffers = 8;  // each holds its payload
constexpr size_t kOfferedPoints = 64;
constexpr uint32_t kOwnShare = 32;           // a copy is made of what has more than this part of its tokens for itself
constexpr uint32_t kLongPrefixTokens = 256;  // worth offering although it was never used again

double now_s() { return steady_ms() / 1000; }

// The ends of its pieces and of its prompt, the last ones where there are many.
std::vector<StatePoint> points_of(const AutomaticPrefix& prefix) {
  std::vector<uint32_t> ends = prefix.cuts;
  if (ends.size() > kOfferedPoints) ends.erase(ends.begin(), ends.end() - kOfferedPoints);
  std::vector<StatePoint> points;
  points.reserve(ends.size());
  for (const uint32_t end : ends) points.push_back({end, hash_tokens(std::span(prefix.tokens).first(end))});
  return points;
}

KnownState described(const AutomaticPrefix& prefix) {
  KnownState state;
  state.key.tokens = prefix.size();
  state.key.token_hash = hash_tokens(prefix.tokens);
  state.cuts = prefix.cuts;
  state.points = points_of(prefix);
  state.salt = prefix.salt;
  return state;
}

// Whether a request that is the prefix again could reuse nearly all of it from the other one, with as good bits.
bool holds_nearly_all(const AutomaticPrefix& other, const AutomaticPrefix& prefix) {
  const uint32_t shared = reusable_tokens(other, {.tokens = prefix.tokens, .cuts = prefix.cuts, .salt = prefix.salt});
  if (other.exact_tokens < std::min(prefix.exact_tokens, shared)) return false;
  return uint64_t{prefix.size() - shared} * kOwnShare <= prefix.size();
}

}  // namespace

AutomaticPrefixes::AutomaticPrefixes(const AutomaticSettings& settings, const StateLayout& layout,
                                     const EngineSpeeds* speeds, Hooks hooks)
    : settings_(settings), layout_(layout), speeds_(speeds), hooks_(std::move(hooks)), index_(settings.whole_only) {}

bool AutomaticPrefixes::can_serve(const AutomaticPrefix& prefix, uint32_t tokens) const {
  if (hooks_.is_resident(prefix)) return true;
  const Payload* payload = copy(prefix.id);
  return payload != nullptr && restore_pays(tokens, payload->bytes().size(), speeds_->from_memory());
}

const Payload* AutomaticPrefixes::copy(uint64_t id) const {
  const auto found = copies_.find(id);
  return found == copies_.end() ? nullptr : &found->second;
}

std::vector<uint64_t> AutomaticPrefixes::add(AutomaticPrefix prefix, uint64_t* id) {
  prefix.use.bytes = layout_.base_bytes + prefix.size() * layout_.token_bytes;  // until a copy says it
  std::vector<uint64_t> replaced = index_.add(std::move(prefix), now_s(), id);
  for (const uint64_t one : replaced) static_cast<void>(take_copy(one));
  return replaced;
}

void AutomaticPrefixes::count_use(uint64_t id) {
  if (AutomaticPrefix* prefix = index_.find(id)) rockllama::count_use(prefix->use, now_s());
}

void AutomaticPrefixes::forget(uint64_t id) {
  static_cast<void>(take_copy(id));
  index_.erase(id);
}

// -- copies --------------------------------------------------------------------------------------------------------

Payload AutomaticPrefixes::take_copy(uint64_t id) {
  refused_.clear();
  const auto node = copies_.extract(id);
  if (!node) return {};
  copied_bytes_ -= node.mapped().bytes().size();
  return std::move(node.mapped());
}

double AutomaticPrefixes::value_of(uint64_t id) const {
  const AutomaticPrefix* prefix = index_.find(id);
  return prefix == nullptr ? 0 : prefix_value(prefix->use, now_s());
}

bool AutomaticPrefixes::make_copy(uint64_t id, llama_context* context, int32_t sequence) {
  AutomaticPrefix* prefix = index_.find(id);
  prefix->use.bytes = llama_state_seq_get_size(context, sequence);
  if (adds_little(*prefix) || !make_room(prefix->use.bytes, id)) {
    refused_.insert(id);
    return false;
  }
  Payload payload = Payload::copy_of(context, sequence);
  if (payload.empty()) {
    refused_.insert(id);
    return false;
  }
  // Its cells may lie in another order than its tokens; restored they would, too.
  prefix = index_.find(id);
  if (!check_payload(payload.bytes(), prefix->size(), layout_)) prefix->exact_tokens = 0;
  copied_bytes_ += payload.bytes().size();
  copies_[id] = std::move(payload);
  return true;
}

// Many short requests over one long prompt would each keep a copy of all of it. One that comes back is then continued
// from the copy that there is, and prefills its own few tokens again. What an older turn of the same conversation left
// is gone by now (add), so a conversation is never refused for itself.
bool AutomaticPrefixes::adds_little(const AutomaticPrefix& prefix) const {
  if (settings_.whole_only) return false;
  return std::any_of(copies_.begin(), copies_.end(), [&](const auto& copy) {
    const AutomaticPrefix* other = index_.find(copy.first);
    return other != nullptr && holds_nearly_all(*other, prefix);
  });
}

// Nobody goes unless enough do.
bool AutomaticPrefixes::make_room(uint64_t bytes, uint64_t id) {
  std::vector<std::pair<double, uint64_t>> others;
  for (const auto& [other, payload] : copies_) others.emplace_back(value_of(other), other);
  std::sort(others.begin(), others.end());
  const double value = value_of(id);
  uint64_t left = copied_bytes_;
  size_t going = 0;
  while (left + bytes > settings_.memory_bytes) {
    if (going == others.size() || others[going].first > value) return false;
    left -= copies_.at(others[going++].second).bytes().size();
  }
  for (size_t i = 0; i < going; ++i) let_go(others[i].second);
  return true;
}

// Of one that is in the buffer only the copy goes.
void AutomaticPrefixes::let_go(uint64_t id) {
  Payload payload = take_copy(id);
  AutomaticPrefix* prefix = index_.find(id);
  if (prefix == nullptr || hooks_.is_resident(*prefix)) return;
  AutomaticPrefix gone = std::move(*prefix);
  index_.erase(id);
  if (worth_offering(gone, payload)) offer(std::move(gone), std::move(payload));
}

// -- offers --------------------------------------------------------------------------------------------------------

bool AutomaticPrefixes::worth_offering(const AutomaticPrefix& prefix, const Payload& payload) const {
  if (!settings_.offer_evicted || payload.empty()) return false;
  if (prefix.use.hits == 0 && prefix.size() < kLongPrefixTokens) return false;
  return check_payload(payload.bytes(), prefix.size(), layout_).has_value() &&
         restore_pays(prefix.size(), payload.bytes().size(), speeds_->from_files());
}

void AutomaticPrefixes::offer(AutomaticPrefix prefix, Payload payload) {
  const PrefixOffered offered{.offer = ++last_offer_,
                              .state = described(prefix),
                              .bytes = payload.bytes().size(),
                              .value = prefix_value(prefix.use, now_s())};
  offers_.push_back({last_offer_, std::move(prefix), std::move(payload)});
  if (offers_.size() > kUnansweredOffers) offers_.pop_front();
  hooks_.offer(offered);
}

void AutomaticPrefixes::offer_all() {
  std::vector<std::pair<double, uint64_t>> order;
  for (const auto& [id, payload] : copies_) order.emplace_back(value_of(id), id);
  std::sort(order.rbegin(), order.rend());
  for (const auto& [value, id] : order) {
    if (offers_.size() == kUnansweredOffers) return;
    AutomaticPrefix* prefix = index_.find(id);
    if (prefix == nullptr || !worth_offering(*prefix, *copy(id))) continue;
    AutomaticPrefix gone = std::move(*prefix);
    index_.erase(id);
    offer(std::move(gone), take_copy(id));
  }
}

Result<SavedState> AutomaticPrefixes::write_offer(uint64_t offer, int file) {
  const auto found =
      std::find_if(offers_.begin(), offers_.end(), [offer](const Offer& one) { return one.id == offer; });
  if (found == offers_.end()) return fail(ErrorCode::kNotFound, "This prefix is not there any more.");
  const Offer taken = std::move(*found);
  offers_.erase(found);
  if (Status written = write_state(file, taken.payload.bytes()); !written) return fail(written.error());
  return SavedState{.tokens = taken.prefix.size(),
                    .token_hash = hash_tokens(taken.prefix.tokens),
                    .bytes = taken.payload.bytes().size(),
                    .cuts = taken.prefix.cuts};
}

void AutomaticPrefixes::forget_offer(uint64_t offer) {
  std::erase_if(offers_, [offer](const Offer& one) { return one.id == offer; });
}

}  // namespace rockllama
