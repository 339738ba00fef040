// The caches of all models on disk: <root>/<model>/<name>.bin (text), .json (metadata) and state files, as
// docs/cache-format.md says. Text is the truth; a state is derived and may be gone, stale or damaged at any time.
//
// Thread-safe. Calls read and write files: never from the HTTP thread. Owns nothing of the worker's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "domain/prompt_cache.h"

namespace rockllama {

// 1 to 64 of A-Za-z0-9._-, beginning with a letter or digit: what a cache may be called at creation.
[[nodiscard]] bool valid_cache_name(std::string_view name);

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
};

// What a commit says of the cache besides text and states. Unset fields keep what an existing cache has.
struct CacheAttributes {
  std::optional<std::string> source{};
  std::optional<std::string> parent{};
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

class CacheStore {
 public:
  // Creates the root where missing, takes its lock (kConflict when another server holds it), finishes or rolls back
  // half commits, removes our own temporary files. `files` outlives the store.
  [[nodiscard]] static Result<std::unique_ptr<CacheStore>> open(FileSystem* files, std::string root);
  ~CacheStore();

  // Folder names under the root that hold at least one cache, in name order.
  [[nodiscard]] std::vector<std::string> models();
  // For a model whose folder was renamed: where it has no caches, the cache folder of a model that is not served any
  // more is moved to it, if a state in it has `fingerprint`. Returns the old name; empty when there is nothing to move.
  [[nodiscard]] Result<std::string> move_along(const std::string& model, const std::string& fingerprint,
                                               const std::function<bool(const std::string&)>& is_served);
  // Looks at the folder again: files that were added, edited or removed by hand are noticed. `fingerprint` as in find.
  [[nodiscard]] Result<std::vector<CacheInfo>> list(const std::string& model, const std::string& fingerprint);
  // kNotFound. Notices hand edits by size and mtime. With a `fingerprint` other than a state's, that state shows as
  // stale; an empty one (model not loaded) leaves states as they were committed.
  [[nodiscard]] Result<CacheInfo> find(const std::string& model, const std::string& name,
                                       const std::string& fingerprint);
  [[nodiscard]] Result<std::string> text(const std::string& model, const std::string& name);

  // What a request needs of a cache, in one look: its text, and the key of its ready state of `format` or the reason
  // why there is none. kNotFound.
  [[nodiscard]] Result<CacheReference> reference(const std::string& model, const std::string& name, StateFormat format,
                                                 const std::string& fingerprint);
  // Opens the state that `key` names. Its checksum is verified before the first time in this process, then by inode,
  // size and mtime. kNotFound: gone or replaced. kCorrupt: damaged; it has been quarantined.
  [[nodiscard]] Result<OpenState> open_state(const std::string& model, const std::string& name, StateFormat format,
                                             const StateKey& key);

  // A new temporary payload file; kNoSpace, kIo.
  [[nodiscard]] Result<PendingState> begin_state(const std::string& model, const std::string& name, StateFormat format);
  // Puts text and states in the place of what the cache had, atomically: on failure, and after a crash at any point,
  // either the old cache or the new one is whole. States of the same text in other formats are kept.
  [[nodiscard]] Status commit(const std::string& model, const std::string& name, const std::string& text,
                              std::vector<NewState> states, const CacheAttributes& attributes);
  // Adds states to a cache whose text still is `text`; kConflict when it changed meanwhile.
  [[nodiscard]] Status add_states(const std::string& model, const std::string& name, const std::string& text,
                                  std::vector<NewState> states);
  // kNotFound. Open descriptors stay usable.
  [[nodiscard]] Status remove(const std::string& model, const std::string& name);
  // Drops the states and keeps the text; kNotFound.
  [[nodiscard]] Status remove_states(const std::string& model, const std::string& name);
  // Renames the state file to its `~bad.` name and marks it in the metadata.
  [[nodiscard]] Status quarantine(const std::string& model, const std::string& name, StateFormat format,
                                  const StateKey& key, const std::string& reason);
  // Marks the state as not belonging to what the worker renders now; it is not offered again.
  [[nodiscard]] Status mark_stale(const std::string& model, const std::string& name, StateFormat format,
                                  const StateKey& key, const std::string& reason);
  // Remembers a use (hits, last_used_at); written with the next commit and by flush.
  void touch(const std::string& model, const std::string& name, bool hit);
  void flush();

 private:
  struct Impl;
  explicit CacheStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rockllama
