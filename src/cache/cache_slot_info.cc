// What people and requests are told of a cache.
#include <algorithm>
#include <bit>

#include "cache/cache_names.h"
#include "cache/cache_slot.h"

namespace rockllama {
namespace {

constexpr double kNanosecondsPerSecond = 1e9;

double seconds(const std::optional<FileInfo>& file) {
  return file ? static_cast<double>(file->mtime_ns) / kNanosecondsPerSecond : 0;
}

template <class Visit>
void for_each_state_name(const std::string& name, Visit visit) {
  for (const char* engine : {"llama.cpp", "rkllm"}) {
    for (const StateFormat format : {StateFormat::kChat, StateFormat::kRaw}) {
      visit(state_file_name(name, format, engine), format, engine);
    }
  }
}

StatePoint anchor_in(const StateRecord& record) {
  return record.anchor ? StatePoint{std::bit_floor(record.tokens), *record.anchor} : StatePoint{};
}

}  // namespace

StateKey CacheSlot::key_of(const StateRecord& record) const {
  return {state_id(record), record.tokens, record.token_hash, record.counted_tokens};
}

void CacheSlot::look_for_strays() {
  has_strays_ = false;
  for_each_state_name(name_, [&](const std::string& file, StateFormat, const char*) {
    const auto info = look(file);
    if (info && *info) has_strays_ = true;
  });
}

CacheSlot::Refusal CacheSlot::judge(const StateRecord& record, const std::optional<Hash128>& text,
                                    const std::string& fingerprint, const LineCheck& line) const {
  if (const auto refused = refused_.find(state_id(record)); refused != refused_.end()) return refused->second;
  if (record.status != StateStatus::kReady) return {record.status, record.reason};
  if (text != metadata_.text_hash) return {StateStatus::kStale, "the text was edited"};
  if (!line.fault.empty()) return {StateStatus::kStale, line.fault};
  if (record.line != line.hash) return {StateStatus::kStale, "the text of a cache that it continues changed"};
  if (!fingerprint.empty() && record.fingerprint != fingerprint) {
    return {StateStatus::kStale, "the model or the engine changed"};
  }
  const auto file = look(record.file);
  if (file && !*file) return {StateStatus::kStale, "its file is gone"};
  return {StateStatus::kReady, record.note};
}

std::optional<Hash128> CacheSlot::text_hash() const { return text_ ? std::optional(text_->hash) : std::nullopt; }

void CacheSlot::add_state_infos(const std::string& fingerprint, const LineCheck& line, CacheInfo* info) const {
  for (const StateRecord& record : metadata_.states) {
    const Refusal verdict = judge(record, text_hash(), fingerprint, line);
    info->binary.push_back({.engine = record.engine,
                            .format = record.format,
                            .size_bytes = record.size,
                            .tokens = record.counted_tokens.value_or(record.tokens),
                            .created_at = record.created_at,
                            .modified_at = record.modified_at,
                            .status = verdict.status,
                            .reason = verdict.reason});
  }
  for_each_state_name(name_, [&](const std::string& name, StateFormat format, const char* engine) {
    const bool recorded = std::any_of(metadata_.states.begin(), metadata_.states.end(),
                                      [&](const StateRecord& record) { return record.file == name; });
    const auto file = look(name);
    if (recorded || !file || !*file) return;
    info->binary.push_back(
        {.engine = engine,
         .format = format,
         .size_bytes = (*file)->size,
         .created_at = seconds(*file),
         .modified_at = seconds(*file),
         .status = text_ ? StateStatus::kStale : StateStatus::kUnsupported,
         .reason = text_ ? "it has no checksum; it will be made again from the text"
                         : "there is no text for it; create the cache again with its prompt, or delete it"});
  });
}

// A text that a person wrote or edited comes from its own file.
std::string CacheSlot::source() const {
  const bool edited = text_ && metadata_.text_hash && text_->hash != *metadata_.text_hash;
  return edited || metadata_.source.empty() ? path(text_file_name(name_)) : metadata_.source;
}

CacheInfo CacheSlot::info(const std::string& fingerprint, const LineCheck& line) const {
  CacheInfo info{.cache_name = name_,
                 .model_name = model_,
                 .created_at = metadata_.created_at,
                 .modified_at = metadata_.modified_at,
                 .last_used_at = std::max(metadata_.last_used_at, last_used_at_),
                 .hits = metadata_.hits + hits_,
                 .source = source(),
                 .has_text = text_.has_value(),
                 .parent = metadata_.parent,
                 .pinned = metadata_.pinned,
                 .expires_at = metadata_.expires_at};
  add_state_infos(fingerprint, line, &info);
  if (text_) {
    info.content_length = text_->characters;
    info.size_bytes = text_->bytes;
    if (text_->hash != metadata_.text_hash) info.modified_at = std::max(info.modified_at, seconds(text_file_));
  }
  for (const StateInfo& state : info.binary) {
    info.size_bytes += state.size_bytes;
    info.has_binary = info.has_binary || state.status == StateStatus::kReady;
    if (info.prompt_tokens == 0) info.prompt_tokens = state.tokens;
    info.modified_at = std::max(info.modified_at, state.modified_at);
  }
  if (info.created_at == 0) info.created_at = info.modified_at;
  return info;
}

CacheReference CacheSlot::reference(StateFormat format, const std::string& fingerprint, const Hash128& text,
                                    const LineCheck& line) const {
  CacheReference reference{.name = name_, .line = {}, .reason = "no state yet"};
  for (const StateRecord& record : metadata_.states) {
    if (record.format != format) continue;
    const Refusal verdict = judge(record, text, fingerprint, line);
    if (verdict.status == StateStatus::kReady && record.fingerprint == fingerprint) {
      reference.state = key_of(record);
      reference.reason.clear();
      break;
    }
    reference.reason = std::string(to_string(verdict.status)) + ": " + verdict.reason;
  }
  return reference;
}

std::vector<KnownState> CacheSlot::known_states(const std::string& fingerprint, const LineCheck& line) const {
  std::vector<KnownState> states;
  for (const StateRecord& record : metadata_.states) {
    if (record.fingerprint != fingerprint) continue;
    if (judge(record, text_hash(), fingerprint, line).status != StateStatus::kReady) continue;
    states.push_back({.name = name_,
                      .format = record.format,
                      .key = key_of(record),
                      .anchor = anchor_in(record),
                      .cuts = record.cuts});
  }
  return states;
}

CacheSummary CacheSlot::summary() const {
  CacheSummary summary{.exists = exists(),
                       .parent = metadata_.parent,
                       .expires_at = metadata_.expires_at,
                       .pinned = metadata_.pinned,
                       .is_automatic = metadata_.source == "automatic",
                       .text_bytes = text_ ? text_->bytes : 0,
                       .hits = metadata_.hits + hits_,
                       .used_at = std::max({metadata_.last_used_at, last_used_at_, metadata_.modified_at}),
                       .opened_at = opened_at_};
  for (const StateRecord& record : metadata_.states) {
    summary.state_bytes += record.size;
    summary.tokens = std::max(summary.tokens, record.counted_tokens.value_or(record.tokens));
  }
  return summary;
}

void CacheSlot::note_offer() {
  std::string said = text_ ? to_hex(text_->hash) + metadata_.parent : "";
  for (const StateRecord& record : metadata_.states) {
    const std::string id = state_id(record);
    if (record.status != StateStatus::kReady || refused_.contains(id)) continue;
    said += id + to_hex(record.token_hash) + record.fingerprint + (record.line ? to_hex(*record.line) : "");
  }
  // Nothing there offers as much as nothing known: looking at it is no change.
  offer_hash_ = said.empty() ? Hash128{} : hash_bytes(said);
}

Result<RecordedCache> CacheSlot::recorded(const LineCheck& line) {
  auto text = read_text();
  if (!text) return fail(text.error());
  const Hash128 hash = hash_bytes(*text);
  RecordedCache recorded{.metadata = metadata_, .keys = {}};
  CacheMetadata& metadata = recorded.metadata;
  metadata.cache_name = name_;
  metadata.model_name = model_;
  metadata.source = source();
  metadata.text_hash = hash;
  metadata.content = std::move(*text);
  std::erase_if(metadata.states,
                [&](const StateRecord& record) { return judge(record, hash, "", line).status != StateStatus::kReady; });
  for (const StateRecord& record : metadata.states) {
    recorded.keys.push_back(key_of(record));
  }
  return recorded;
}

std::optional<StateRecord> CacheSlot::ready_record(const std::string& id) const {
  const StateRecord* record = find_record(id);
  if (record == nullptr || record->status != StateStatus::kReady || refused_.contains(id)) return std::nullopt;
  return *record;
}

}  // namespace rockllama
