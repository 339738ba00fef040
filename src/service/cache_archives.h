// Caches out to a file and in from one. Thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "cache/archive_transfer.h"

namespace rockllama {

struct ServiceContext;

// The bytes of an archive, in pieces.
using CacheExport = ArchiveStream;

struct ImportCache {
  std::string model;
  std::optional<std::string> name{};  // instead of the archive's
  bool overwrite = true;
};

class CacheArchives {
 public:
  explicit CacheArchives(ServiceContext* context) : context_(context) {}

  // Reads files: executor only. kNotFound.
  [[nodiscard]] Result<CacheExport> export_cache(const std::string& model, const std::string& name, bool with_states);

  using Imported = std::function<void(Result<ImportedCache>)>;
  // Verifies and takes in the archive in `file`. Where it brings states, the model is loaded to hold them against;
  // those of another model are made again behind the scenes. `done` is called once, on a thread of the service.
  void import_cache(ImportCache request, UniqueFd file, Imported done);

  // A file without a name in the cache folder, for an archive on its way in. Executor only.
  [[nodiscard]] Result<UniqueFd> open_spool();

 private:
  ServiceContext* context_;
};

}  // namespace rockllama
