// A file system in memory that can crash: what was not synced vanishes or stays, as the test says. Files are memfds, so
// that descriptors are real ones. Thread-safe.
//
// A file's bytes are durable after write_synced or sync; a change of a name (create, rename, remove) after sync_folder
// of its folder; a folder at once. Renames go within one folder.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace rockllama {

class MemoryFileSystem final : public FileSystem {
 public:
  MemoryFileSystem();
  ~MemoryFileSystem() override;

  Result<std::string> read(const std::string& path, uint64_t limit) override;
  Status write_synced(const std::string& path, std::string_view bytes) override;
  Result<UniqueFd> create(const std::string& path) override;
  Result<UniqueFd> open(const std::string& path) override;
  Status sync(const std::string& path) override;
  Status sync_folder(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Result<FileInfo> stat(const std::string& path) override;
  Result<std::vector<FolderEntry>> list(const std::string& path) override;
  Status make_folders(const std::string& path) override;
  Result<uint64_t> free_bytes(const std::string& path) override;
  Result<Hash128> hash(const std::string& path) override;
  Result<FileInfo> stat(int fd) override;
  Result<Hash128> hash(int fd) override;
  Result<UniqueFd> lock(const std::string& path) override;

  // The power fails and comes back. Of the name changes that were not synced, in their order, those stay whose bit in
  // `kept_names` is set (bit i % 64 for the i-th); of the bytes that were not synced all or none.
  void crash(uint64_t kept_names, bool kept_bytes);
  // Puts bytes in place as another program would, all durable, with folders.
  void put(const std::string& path, std::string_view bytes);
  // Folders are listed in the opposite order from now on.
  void list_backwards() { backwards_ = true; }
  // How large the device is; what files take goes from what is free.
  void set_device_bytes(uint64_t bytes);
  // Names of the files in a folder, sorted; empty when there is none.
  [[nodiscard]] std::vector<std::string> names(const std::string& folder);

 private:
  struct File;
  using Names = std::map<std::string, std::shared_ptr<File>>;
  struct NameChange {
    std::string from;            // renamed or removed; empty = created
    std::string to;              // renamed or created; empty = removed
    std::shared_ptr<File> file;  // that was created or renamed
  };
  struct Folder {
    Names live;
    Names durable;
    std::vector<NameChange> unsynced;
  };
  struct Place {
    Folder* folder;
    std::string name;
  };

  [[nodiscard]] Result<Place> place(const std::string& path);
  [[nodiscard]] Result<std::shared_ptr<File>> find(const std::string& path);
  [[nodiscard]] Result<std::shared_ptr<File>> find_or_create(const std::string& path);
  void write(File* file, std::string_view bytes);
  static void apply(const NameChange& change, Names* names);

  std::mutex mutex_;
  std::map<std::string, Folder> folders_;
  int64_t clock_ = 0;  // seconds; each write has its own
  bool backwards_ = false;
  uint64_t device_bytes_ = uint64_t{1} << 40;
};

}  // namespace rockllama
