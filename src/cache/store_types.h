// The values that go in and out of the cache store.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "cache/cache_metadata.h"
#include "domain/prompt_cache.h"

namespace rockllama {

// What the store may take. 0 = no limit.
struct StoreLimits {
  uint64_t max_total_bytes = 0;  // texts and states of all models, automatic ones too
  uint64_t max_model_bytes = 0;  // of each model
  uint64_t max_entries = 0;      // named caches
  uint64_t keep_free_bytes = 0;  // of the device
  uint64_t automatic_bytes = 0;  // automatic states
  uint64_t automatic_write_bytes_per_day = 0;
};

// What it takes.
struct StoreUse {
  StoreLimits limits{};
  uint64_t total_bytes = 0;
  std::map<std::string, uint64_t> model_bytes{};
  uint64_t entries = 0;
  uint64_t automatic_bytes = 0;
  uint64_t automatic_entries = 0;
  uint64_t automatic_bytes_written_today = 0;  // the day is that of UTC
  uint64_t free_bytes = 0;                     // of the device; 0 = not known
};

// A state payload that is being written: a temporary file beside the cache it will belong to. It is removed when the
// object dies without having been committed.
class PendingState {
 public:
  PendingState(FileSystem* files, std::string path, UniqueFd fd)
      : files_(files), path_(std::move(path)), fd_(std::move(fd)) {}
  ~PendingState();
  PendingState(PendingState&&) noexcept;
  PendingState& operator=(PendingState&&) = delete;
  [[nodiscard]] UniqueFd take_fd() { return std::move(fd_); }  // for the worker
  [[nodiscard]] const std::string& path() const { return path_; }
  void release() { path_.clear(); }  // committed: nothing to remove

 private:
  FileSystem* files_;
  std::string path_;
  UniqueFd fd_;
};

// A state to commit with a cache's text.
struct NewState {
  PendingState payload;
  StateFormat format = StateFormat::kChat;
  std::string engine;       // llama.cpp
  std::string fingerprint;  // of model and engine
  SavedState saved;
  // What it was prefilled over, as reference() gave it: the state is refused where an ancestor changed since. Empty:
  // the ancestors are taken as they are now.
  CacheLine line{};
};

// A cache as its metadata has it, with its text as `content`; only the states that are ready for it.
struct RecordedCache {
  CacheMetadata metadata;
  std::vector<StateKey> keys;  // of the states, for open_state
};

// What a commit says of the cache besides text and states. Unset fields keep what an existing cache has.
struct CacheAttributes {
  std::optional<std::string> source{};
  std::optional<std::string> parent{};  // empty = none
  std::optional<bool> pinned{};
  std::optional<double> expires_at{};
  bool overwrite = true;  // false: kConflict where the cache is there already
};

// A ready state, open for reading.
struct OpenState {
  StateKey key;
  UniqueFd file;
  uint64_t bytes = 0;
};

// A state of a conversation, written when it left the worker's memory. Of the conversation it holds only hashes.
struct AutomaticState {
  KnownState known;  // name and key.id are the store's to give
  std::string engine = "llama.cpp";
  uint64_t bytes = 0;  // that the worker wrote
  double value = 0;    // as the worker offered it, see domain/prefix_value.h
  std::string fingerprint;
};

}  // namespace rockllama
