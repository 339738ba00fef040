// The automatic states of all models: <root>/<model>/auto/. Owned by the store; thread-safe. Calls read and write
// files; a payload is hashed outside of the lock.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "cache/automatic_metadata.h"
#include "cache/store_types.h"

namespace rockllama {

inline constexpr const char* kAutomaticFolder = "auto";

class AutomaticStates {
 public:
  AutomaticStates(FileSystem* files, std::string root) : files_(files), root_(std::move(root)) {}

  // At opening, when nothing else runs: removes temporary files and what has lost its other half.
  void clean_up(const std::string& model);
  [[nodiscard]] Result<PendingState> begin(const std::string& model);
  // Afterwards the state is whole on disk, or on failure gone. `payload` is released when it belongs to the folder.
  [[nodiscard]] Result<StateKey> commit(const std::string& model, PendingState* payload, const AutomaticState& state,
                                        double now);
  // Counts as a use. kNotFound; kCorrupt: it was damaged and is gone now.
  [[nodiscard]] Result<OpenState> open(const std::string& model, const StateKey& key, double now);
  // kNotFound.
  [[nodiscard]] Status remove(const std::string& model, const std::string& id);
  // Those of `fingerprint`; others are removed: their model or engine is no more. Looks at the folder again.
  [[nodiscard]] std::vector<KnownState> known(const std::string& model, const std::string& fingerprint);
  // The model's folder has another name now.
  void forget(const std::string& model);
  // Writes uses down.
  void flush();

  struct Kept {
    std::string model;
    std::string id;
    uint64_t bytes = 0;
    double value = 0;
    double opened_at = 0;  // in this process; 0 = never
  };
  // All of all models that were looked at with known() or take_stock().
  [[nodiscard]] std::vector<Kept> kept(double now);
  // Looks at the folder of `model` unless that happened already.
  void take_stock(const std::string& model);

 private:
  struct Entry {
    AutomaticRecord record;
    FileInfo metadata_file;
    FileInfo verified{};  // what the payload looked like when its checksum was found right
    bool used = false;    // since its metadata was written
    double opened_at = 0;
  };
  using Entries = std::map<std::string, Entry>;  // by stem

  [[nodiscard]] std::string folder(const std::string& model) const { return root_ + "/" + model + "/auto"; }
  [[nodiscard]] std::string path(const std::string& model, const std::string& file) const;
  // The folder as it is now, and only where that has not happened yet. On failure nothing more is known than before.
  [[nodiscard]] Status look(const std::string& model);
  [[nodiscard]] Status take_stock_locked(const std::string& model);
  void read_entry(const std::string& model, const std::string& stem, const FileInfo& file, Entries* entries);
  [[nodiscard]] Entry* find(const std::string& model, const std::string& id);
  void remove_files(const std::string& model, const std::string& stem);
  [[nodiscard]] Status write_metadata(const std::string& model, const std::string& stem, const AutomaticRecord& record);
  [[nodiscard]] Status put_in_place(const std::string& model, const std::string& stem, const PendingState& payload,
                                    const AutomaticRecord& record);

  FileSystem* const files_;
  const std::string root_;
  std::mutex mutex_;
  std::map<std::string, Entries> models_;  // those that were looked at
  uint64_t payloads_ = 0;                  // counts temporary names
};

}  // namespace rockllama
