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

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "cache/save_crashes.h"
#include "cache/store_types.h"
#include "domain/prompt_cache.h"

namespace rockllama {

// 1 to 64 of A-Za-z0-9._-, beginning with a letter or digit: what a cache may be called at creation.
[[nodiscard]] bool valid_cache_name(std::string_view name);
inline constexpr const char* kCacheNameRule =
    "a cache name is 1 to 64 of A-Z a-z 0-9 . _ - and begins with a letter or digit";

class CacheStore {
 public:
  // Creates the root where missing, takes its lock (kConflict when another server holds it), finishes or rolls back
  // half commits, removes our own temporary files. `files` outlives the store; `clock` gives Unix seconds.
  using Clock = std::function<double()>;
  [[nodiscard]] static Result<std::unique_ptr<CacheStore>> open(FileSystem* files, std::string root,
                                                                StoreLimits limits = {}, Clock clock = unix_seconds);
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

  // For an export; of whatever model the states are. kNotFound, also where there is no text.
  [[nodiscard]] Result<RecordedCache> recorded(const std::string& model, const std::string& name);

  // What a request needs of a cache, in one look: the contents of what it continues and its own, and the key of its
  // ready state of `format` or the reason why there is none. kNotFound: there is no such cache, or one that it
  // continues is missing (param "parent"). kInvalidArgument: they go in a circle or are more than 8, or a text is
  // that of malformed messages.
  [[nodiscard]] Result<CacheReference> reference(const std::string& model, const std::string& name, StateFormat format,
                                                 const std::string& fingerprint);
  // Opens the state that `key` names. Its checksum is verified before the first time in this process, then by inode,
  // size and mtime. kNotFound: gone or replaced. kCorrupt: damaged; it has been quarantined.
  [[nodiscard]] Result<OpenState> open_state(const std::string& model, const std::string& name, StateFormat format,
                                             const StateKey& key);

  // A new file without a name under the root, for what is on its way in; kNoSpace, kIo.
  [[nodiscard]] Result<UniqueFd> open_spool();
  // A new temporary payload file; kNoSpace, kIo.
  [[nodiscard]] Result<PendingState> begin_state(const std::string& model, const std::string& name, StateFormat format);
  // Puts text and states in the place of what the cache had, atomically: on failure, and after a crash at any point,
  // either the old cache or the new one is whole. States of the same text in other formats are kept. kNotFound and
  // kInvalidArgument (param "parent"): what it would continue is missing, or goes in a circle or too deep. kNoSpace
  // with numbers where the limits leave no room. kConflict: it is there and must not be overwritten, or a state was
  // built over another line.
  [[nodiscard]] Status commit(const std::string& model, const std::string& name, const std::string& text,
                              std::vector<NewState> states, const CacheAttributes& attributes);
  // Adds states to a cache whose text still is `text`; kConflict when it changed meanwhile.
  [[nodiscard]] Status add_states(const std::string& model, const std::string& name, const std::string& text,
                                  std::vector<NewState> states);
  // Caches that continue this one directly, in name order.
  [[nodiscard]] std::vector<std::string> children(const std::string& model, const std::string& name);
  // kNotFound; kConflict, naming them, where others continue it, unless `cascade` removes them first. Open descriptors
  // stay usable.
  [[nodiscard]] Status remove(const std::string& model, const std::string& name, bool cascade = false);
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
  // Removes what has expired and notices what was changed by hand. For a timer.
  void sweep();

  // Which models end their runtime when a state is saved, by fingerprint; kept over restarts.
  [[nodiscard]] SaveCrashes& save_crashes();

  // Every ready state of a named cache and every automatic one, as far as they have `fingerprint`. Automatic ones with
  // another are removed.
  [[nodiscard]] std::vector<KnownState> known_states(const std::string& model, const std::string& fingerprint);
  // Called on the thread of the call that noticed it, without a lock of the store, after every change that may alter
  // known_states: with the cache's name, or an empty one for an automatic state. One listener; set before others call.
  void set_listener(std::function<void(const std::string& model, const std::string& name)> listener);
  [[nodiscard]] StoreUse use();

  // A new temporary payload file for about `bytes`; kNoSpace where the budgets leave no room for them.
  [[nodiscard]] Result<PendingState> begin_automatic(const std::string& model, uint64_t bytes = 0);
  // Its id is `<model>/auto/<generation>-<12 hexadecimal digits>`. kNoSpace: over a budget, or worth less than what is
  // kept; kCorrupt: not written in full.
  [[nodiscard]] Result<StateKey> commit_automatic(const std::string& model, PendingState payload,
                                                  const AutomaticState& state);
  // As open_state; what is damaged is removed. Counts as a use.
  [[nodiscard]] Result<OpenState> open_automatic(const std::string& model, const StateKey& key);
  [[nodiscard]] Status remove_automatic(const std::string& model, const std::string& id);
  // The same, with a line in the log: it is of no use to keep what can be made again and is bad.
  [[nodiscard]] Status quarantine_automatic(const std::string& model, const std::string& id, const std::string& reason);

  struct Impl;  // store_impl.h

 private:
  explicit CacheStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rockllama
