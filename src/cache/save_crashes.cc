#include "cache/save_crashes.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/json_depth.h"

namespace rockllama {
namespace {

using nlohmann::json;

constexpr uint64_t kLargestFile = 1u << 20;

}  // namespace

SaveCrashes::SaveCrashes(FileSystem* files, std::string path) : files_(files), path_(std::move(path)) { read(); }

void SaveCrashes::read() {
  const auto text = files_->read(path_, kLargestFile);
  if (!text || nested_too_deep(*text)) return;
  const json object = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return;
  for (const auto& [fingerprint, reason] : object.items()) {
    if (reason.is_string()) reasons_[fingerprint] = reason.get<std::string>();
  }
}

// Caller holds the mutex.
void SaveCrashes::write() {
  const std::string text = json(reasons_).dump(1, ' ', false, json::error_handler_t::replace);
  (void)replace_file(files_, path_ + ".new", path_, text + "\n");
}

std::optional<std::string> SaveCrashes::reason(const std::string& fingerprint) const {
  const std::lock_guard lock(mutex_);
  const auto found = reasons_.find(fingerprint);
  return found == reasons_.end() ? std::nullopt : std::optional(found->second);
}

bool SaveCrashes::note_crash(const std::string& fingerprint, const std::string& reason, bool certain) {
  const std::lock_guard lock(mutex_);
  if (++crashes_[fingerprint] < 2 && !certain) return false;
  reasons_[fingerprint] = reason;
  write();
  return true;
}

void SaveCrashes::note_saved(const std::string& fingerprint) {
  const std::lock_guard lock(mutex_);
  crashes_.erase(fingerprint);
  if (reasons_.erase(fingerprint) != 0) write();
}

}  // namespace rockllama
