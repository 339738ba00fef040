// Taking an archive into a store, and a cache of a store into an archive. Reads and writes files: never on the HTTP
// thread. Any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cache/archive.h"
#include "cache/cache_store.h"

namespace rockllama {

// kNotFound; kTooLarge for a text that fits no archive. A state that is not ready is left out, of another model or not.
[[nodiscard]] Result<ArchiveStream> export_cache(CacheStore* store, const std::string& model, const std::string& name,
                                                 bool with_states);

struct ImportOrder {
  std::string model;
  std::optional<std::string> name{};  // instead of the archive's
  bool overwrite = true;              // false: kConflict where the cache is there already
  std::string fingerprint{};          // of the model; a state of another one is dropped. Empty = not known
  double now = 0;                     // Unix seconds
};

struct ImportedState {
  StateFormat format = StateFormat::kChat;
  bool kept = false;
  std::string reason{};  // why it was dropped, or what is not known of it
};

struct ImportedCache {
  std::string model;
  std::string name;
  std::vector<ImportedState> states{};
  std::vector<std::string> ancestors{};  // caches that came along because this one continues them
};

// Takes in what read_archive read of `source`; on failure the store is as it was. kInvalidArgument for a bad name;
// kConflict also where a cache that it continues is there with another text; kNoSpace, kIo.
[[nodiscard]] Result<ImportedCache> import_archive(CacheStore* store, const ByteSource& source, const OpenArchive& open,
                                                   const ImportOrder& order);
// Of an open file; the descriptor outlives the source.
[[nodiscard]] Result<ByteSource> descriptor_source(int fd);

}  // namespace rockllama
