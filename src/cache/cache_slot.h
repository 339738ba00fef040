// One cache on disk and what is known of it. Looks at the files when asked, so that what people do to them is noticed,
// and reads them again only where they changed.
//
// Not thread-safe: CacheStore holds `mutex` around every call. Keeps no text in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "cache/cache_metadata.h"
#include "cache/cache_store.h"
#include "cache/commit_plan.h"
#include "domain/prompt_cache.h"

namespace rockllama {

// A payload that is on disk, synced and hashed, under a temporary name.
struct StagedState {
  std::string file;    // temporary name in the folder
  StateRecord record;  // all but file and generation
};

struct CommitOrder {
  const std::string& text;
  std::vector<StagedState> states;
  CacheAttributes attributes{};
  std::vector<Hash128> ancestors{};  // hashes of their texts, the oldest first
  double now = 0;                    // Unix seconds
};

// What the store knows of a cache without looking at its files again.
struct CacheSummary {
  bool exists = false;
  std::string parent{};
  double expires_at = 0;
  bool pinned = false;
  bool is_automatic = false;  // by its source
  uint64_t text_bytes = 0;
  uint64_t state_bytes = 0;  // on disk, whatever their status
  uint32_t tokens = 0;       // of the largest state
  uint64_t hits = 0;
  double used_at = 0;    // last use or change
  double opened_at = 0;  // last time that a state was opened, in this process
};

// The line of a cache: what its states have to be built over.
struct LineCheck {
  std::optional<Hash128> hash{};  // nothing: the cache continues none
  std::string fault{};            // why there is no such line
};

class CacheSlot {
 public:
  CacheSlot(FileSystem* files, std::string folder, std::string model, std::string name);

  std::mutex mutex;

  // Brings what is known up to date with the files, and a commit that broke off to its end. Called before the rest.
  [[nodiscard]] Status refresh();
  // Nothing was changed here since refresh.
  [[nodiscard]] bool is_current() const { return loaded_; }
  // After refresh: some file of the cache is there.
  [[nodiscard]] bool exists() const { return text_ || metadata_file_ || has_strays_; }

  // After refresh. The text as it is; kNotFound where there is only a state.
  [[nodiscard]] Result<std::string> read_text();
  // After refresh. An empty fingerprint leaves states as they were committed.
  [[nodiscard]] CacheInfo info(const std::string& fingerprint, const LineCheck& line) const;
  [[nodiscard]] CacheSummary summary() const;
  // Changes with everything of the files that decides which states are offered.
  [[nodiscard]] Hash128 offer_hash() const { return offer_hash_; }
  [[nodiscard]] const std::string& model() const { return model_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& parent() const { return metadata_.parent; }
  [[nodiscard]] double expires_at() const { return metadata_.expires_at; }
  [[nodiscard]] std::optional<Hash128> text_hash() const;
  [[nodiscard]] std::string source() const;
  // After refresh. State or reason, for a text of that hash; the line is the caller's to fill in.
  [[nodiscard]] CacheReference reference(StateFormat format, const std::string& fingerprint, const Hash128& text,
                                         const LineCheck& line) const;
  [[nodiscard]] std::vector<KnownState> known_states(const std::string& fingerprint, const LineCheck& line) const;
  // After refresh. All of the cache, with its text and the states that are ready for it.
  [[nodiscard]] Result<RecordedCache> recorded(const LineCheck& line);
  // After refresh. The record that `id` names, where it may be opened.
  [[nodiscard]] std::optional<StateRecord> ready_record(const std::string& id) const;
  [[nodiscard]] std::string path(const std::string& file) const { return folder_ + "/" + file; }
  [[nodiscard]] std::string state_id(const StateRecord& record) const;
  [[nodiscard]] StateKey key_of(const StateRecord& record) const;

  // After refresh. On failure, and after a crash at any point, either the old cache or the new one is whole.
  // `intent_written` is called when the staged files belong to the folder and no more to the caller.
  [[nodiscard]] Status commit(const CommitOrder& order, const std::function<void()>& intent_written);
  // After refresh, as all that follow.
  [[nodiscard]] Status remove();
  [[nodiscard]] Status remove_states();
  // The same for the states of ours only: what another program left takes no part in our budgets.
  [[nodiscard]] Status drop_states();
  // The state is not offered again, even if the disk does not take the change. kNotFound: no such state.
  [[nodiscard]] Status quarantine(const std::string& id, const std::string& reason);
  [[nodiscard]] Status mark_stale(const std::string& id, const std::string& reason);
  // Removes temporary files. Only at opening: nothing else runs.
  void clean_up(const std::vector<std::string>& temporaries);

  void touch(bool hit, double now);
  void note_opening(double now) { opened_at_ = now; }
  // What text and states take once `order` is committed.
  [[nodiscard]] uint64_t bytes_after(const CommitOrder& order) const;
  [[nodiscard]] Status flush();

  // States whose checksum was verified, and what their files looked like then.
  std::map<std::string, FileInfo> verified;

 private:
  struct Text {
    Hash128 hash;
    uint64_t bytes = 0;
    uint64_t characters = 0;
  };
  struct Refusal {
    StateStatus status;
    std::string reason;
  };

  [[nodiscard]] Result<std::optional<FileInfo>> look(const std::string& file) const;
  [[nodiscard]] Result<std::optional<Hash128>> hash_of(const std::string& file) const;
  [[nodiscard]] Result<MetadataFile> read_metadata() const;
  [[nodiscard]] Status load_metadata();
  [[nodiscard]] Status load_text(const std::optional<FileInfo>& file);
  void look_for_strays();
  void adopt(MetadataFile file);
  void tidy();

  // Writes the new text to its temporary name; what the metadata has to say while the commit is under way.
  [[nodiscard]] Result<MetadataFile> stage(const CommitOrder& order);
  [[nodiscard]] Status check_places(const PendingCommit& pending) const;
  [[nodiscard]] Status settle(const MetadataFile& file, CommitPreference preference, bool* forward);
  [[nodiscard]] Status apply(const MetadataFile& file, const CommitPlan& plan);
  [[nodiscard]] Status write_metadata(const MetadataFile& file);
  // Reads the metadata, lets `change` change it and writes it; kNotFound where there is none.
  [[nodiscard]] Status update(const std::function<void(CacheMetadata*)>& change);
  [[nodiscard]] CacheMetadata next_metadata(const CommitOrder& order) const;
  void add_uses(CacheMetadata* metadata) const;
  [[nodiscard]] std::vector<std::string> possible_state_files() const;
  void remove_unnamed_states(const CacheMetadata& named);
  // The files changed: the next refresh reads them again.
  void forget() {
    loaded_ = false;
    metadata_file_.reset();
    text_file_.reset();
  }

  [[nodiscard]] const StateRecord* find_record(const std::string& id) const;
  [[nodiscard]] Status refuse(const std::string& id, StateStatus status, const std::string& reason);
  // Status and reason of a record, for a text of that hash.
  [[nodiscard]] Refusal judge(const StateRecord& record, const std::optional<Hash128>& text,
                              const std::string& fingerprint, const LineCheck& line) const;
  void add_state_infos(const std::string& fingerprint, const LineCheck& line, CacheInfo* info) const;
  void note_offer();

  FileSystem* const files_;
  const std::string folder_;
  const std::string model_;
  const std::string name_;

  std::optional<FileInfo> metadata_file_{};  // as it was when it was read
  std::optional<FileInfo> text_file_{};      // as it was when `text_` was found
  std::optional<Text> text_{};
  std::optional<Text> content_{};  // of the copy in the metadata
  CacheMetadata metadata_{};       // without content
  bool loaded_ = false;            // what is known here is that of `metadata_file_`, also of none
  bool readable_ = false;          // the metadata is there and could be read
  bool intact_ = false;            // and all of it was understood
  bool tidied_ = false;            // states of ours that no record names were removed in this process
  bool unsettled_ = false;         // a commit broke off and could not be brought to its end yet
  bool has_strays_ = false;        // state files that no record names
  uint64_t hits_ = 0;              // since the metadata was written
  double last_used_at_ = 0;
  double opened_at_ = 0;
  Hash128 offer_hash_{};
  std::map<std::string, Refusal> refused_{};
};

}  // namespace rockllama
