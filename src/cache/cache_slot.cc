#include "cache/cache_slot.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "base/characters.h"
#include "cache/cache_names.h"

namespace rockllama {
namespace {

constexpr uint64_t kLargestText = uint64_t{64} << 20;  // bytes

bool is_own_state_file(const std::string& name, const StateRecord& record) {
  return record.file == state_file_name(name, record.format, record.engine) ||
         record.file == bad_state_file_name(name, record.format, record.engine);
}

// There is none, or bytes that are none. Everything else may pass: what was not read must not count as missing.
bool means_no_metadata(ErrorCode code) {
  return code == ErrorCode::kNotFound || code == ErrorCode::kCorrupt || code == ErrorCode::kTooLarge;
}

}  // namespace

CacheSlot::CacheSlot(FileSystem* files, std::string folder, std::string model, std::string name)
    : files_(files), folder_(std::move(folder)), model_(std::move(model)), name_(std::move(name)) {}

Result<std::optional<FileInfo>> CacheSlot::look(const std::string& file) const {
  const auto info = files_->stat(path(file));
  if (info) return info->is_folder ? std::nullopt : std::optional(*info);
  if (info.error().code == ErrorCode::kNotFound) return std::optional<FileInfo>();
  return fail(info.error());
}

Result<std::optional<Hash128>> CacheSlot::hash_of(const std::string& file) const {
  const auto hash = files_->hash(path(file));
  if (hash) return *hash;
  if (hash.error().code == ErrorCode::kNotFound) return std::optional<Hash128>();
  return fail(hash.error());
}

Status CacheSlot::refresh() {
  const auto metadata = look(metadata_file_name(name_));
  if (!metadata) return fail(metadata.error());
  if (!loaded_ || *metadata != metadata_file_ || unsettled_) {
    loaded_ = true;
    metadata_file_ = *metadata;
    if (const Status loaded = load_metadata(); !loaded) {
      forget();
      return loaded;
    }
  }
  const auto text = look(text_file_name(name_));
  if (!text) return fail(text.error());
  if (const Status loaded = load_text(*text); !loaded) return loaded;
  if (!text_ && !metadata_file_) look_for_strays();
  return {};
}

Result<MetadataFile> CacheSlot::read_metadata() const {
  return files_->read(path(metadata_file_name(name_)), kLargestMetadata).and_then(parse_metadata);
}

Status CacheSlot::load_metadata() {
  unsettled_ = false;
  auto file = metadata_file_ ? read_metadata() : Result<MetadataFile>(fail(ErrorCode::kNotFound, "no metadata"));
  if (file && file->pending) {
    bool forward = false;
    const Status settled = settle(*file, CommitPreference::kForward, &forward);
    if (settled) {
      spdlog::info("cache {}/{}: a commit that broke off was {}", model_, name_, forward ? "finished" : "undone");
      const auto now = look(metadata_file_name(name_));
      if (!now) return fail(now.error());
      metadata_file_ = *now;
      file = read_metadata();
    } else {
      spdlog::warn("cache {}/{}: a commit broke off and cannot be finished: {}", model_, name_,
                   settled.error().message);
      unsettled_ = true;
    }
  }
  if (!file && !means_no_metadata(file.error().code)) return fail(file.error());
  readable_ = file.has_value();
  adopt(file ? std::move(*file) : MetadataFile{});
  tidy();
  return {};
}

void CacheSlot::adopt(MetadataFile file) {
  intact_ = readable_ && !file.damaged;
  metadata_ = file.current ? std::move(*file.current) : CacheMetadata{};
  if (unsettled_) metadata_.states.clear();
  const auto foreign = std::remove_if(metadata_.states.begin(), metadata_.states.end(),
                                      [&](const StateRecord& record) { return !is_own_state_file(name_, record); });
  if (foreign != metadata_.states.end()) intact_ = false;
  metadata_.states.erase(foreign, metadata_.states.end());
  content_.reset();
  if (metadata_.content) {
    content_ = Text{hash_bytes(*metadata_.content), metadata_.content->size(), count_characters(*metadata_.content)};
  }
  metadata_.content.reset();
  text_.reset();  // it is judged anew, and with it what is offered
}

// What a crash left: at the first look, because looking at all caches is too much for opening.
void CacheSlot::tidy() {
  if (tidied_ || unsettled_ || !intact_ || metadata_.generation == 0) return;
  tidied_ = true;
  remove_unnamed_states(metadata_);
}

Status CacheSlot::load_text(const std::optional<FileInfo>& file) {
  const bool same = text_ && text_file_ == file;
  if (same) return {};
  if (!file) {
    text_ = content_;
  } else if (metadata_.text_hash && metadata_.text_file == *file) {
    text_ = Text{*metadata_.text_hash, file->size, metadata_.content_length};
  } else {
    const auto text = files_->read(path(text_file_name(name_)), kLargestText);
    if (!text) return fail(text.error());
    text_ = Text{hash_bytes(*text), text->size(), count_characters(*text)};
  }
  text_file_ = file;
  note_offer();
  return {};
}

Result<std::string> CacheSlot::read_text() {
  if (text_file_) return files_->read(path(text_file_name(name_)), kLargestText);
  if (!content_) return fail(ErrorCode::kNotFound, "the prompt cache has no text");
  const auto file = read_metadata();
  if (!file) return fail(file.error());
  if (!file->current || !file->current->content) return fail(ErrorCode::kNotFound, "the prompt cache has no text");
  return *file->current->content;
}

const StateRecord* CacheSlot::find_record(const std::string& id) const {
  const auto found = std::find_if(metadata_.states.begin(), metadata_.states.end(),
                                  [&](const StateRecord& record) { return state_id(record) == id; });
  return found == metadata_.states.end() ? nullptr : &*found;
}

std::string CacheSlot::state_id(const StateRecord& record) const {
  return model_ + "/" + name_ + "/" + to_string(record.format) + "/" + std::to_string(record.generation) + "-" +
         to_hex(record.checksum).substr(0, 12);
}

void CacheSlot::touch(bool hit, double now) {
  if (hit) ++hits_;
  last_used_at_ = now;
}

}  // namespace rockllama
