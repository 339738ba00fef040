#include "models/file_hash_memo.h"

#include <nlohmann/json.hpp>

namespace rockllama {
namespace {

using nlohmann::json;

constexpr uint64_t kLargestMemo = 16u << 20;

}  // namespace

FileHashMemo::FileHashMemo(FileSystem* files, std::string memo_file) : files_(files), memo_file_(std::move(memo_file)) {
  load();
}

void FileHashMemo::load() try {
  const auto text = files_->read(memo_file_, kLargestMemo);
  if (!text) return;
  const json memo = json::parse(*text);
  for (const auto& [path, known] : memo.items()) {
    const FileInfo info{known.at("inode").get<uint64_t>(), known.at("size").get<uint64_t>(),
                        known.at("mtime_ns").get<int64_t>(), false};
    known_[path] = {info, known.at("xxh3_128").get<std::string>()};
  }
} catch (const json::exception&) {
  known_.clear();
}

// A memo that cannot be written costs time, nothing else.
void FileHashMemo::save() {
  json all = json::object();
  for (const auto& [path, known] : known_) {
    all[path] = {{"inode", known.info.inode},
                 {"size", known.info.size},
                 {"mtime_ns", known.info.mtime_ns},
                 {"xxh3_128", known.hash}};
  }
  const std::string text = all.dump(1, ' ', false, json::error_handler_t::replace);
  (void)replace_file(files_, memo_file_ + ".new", memo_file_, text);
}

Result<std::string> FileHashMemo::hash(const std::string& path) {
  const auto info = files_->stat(path);
  if (!info) return tl::unexpected(info.error());
  {
    const std::lock_guard lock(mutex_);
    const auto known = known_.find(path);
    if (known != known_.end() && known->second.info == *info) return known->second.hash;
  }
  const auto hash = files_->hash(path);
  if (!hash) return tl::unexpected(hash.error());
  const auto after = files_->stat(path);
  if (!after || !(*after == *info)) {
    return fail({ErrorCode::kUnavailable, "the file changed while it was read", "", 1});
  }
  const std::lock_guard lock(mutex_);
  known_[path] = {*info, to_hex(*hash)};
  save();
  return to_hex(*hash);
}

}  // namespace rockllama
