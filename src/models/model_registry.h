// Which models there are: one folder each under the models folder. Looks at the disk when asked, so that folders that
// were added or removed are noticed. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "domain/model.h"

namespace rockllama {

struct ModelEntry {
  ModelSpec spec;        // with what model.json overrides
  std::string filename;  // of the model file, without folder
  std::string path;      // relative to the models folder
  uint64_t size_bytes = 0;
  double modified_at = 0;       // Unix seconds
  double keep_alive_s = -1;     // model.json's override; -1 = the server's
  std::string default_cache{};  // model.json's override
  std::string lora{};           // name of an adapter in the folder lora/; empty = the only one there
  bool operator==(const ModelEntry&) const = default;
};

class ModelRegistry {
 public:
  // `defaults` are what model.json may override: context, parallel, sampling, ... Scripted models are served only with
  // `allow_scripted`. `memo_file` keeps the hashes of model files between runs.
  ModelRegistry(FileSystem* files, std::string models_folder, const std::string& memo_file, ModelSpec defaults,
                bool allow_scripted);
  ~ModelRegistry();

  // In name order. What is odd (several files, a file outside a folder, a bad model.json) is logged once and, for a
  // model that cannot be served because of it, left out.
  [[nodiscard]] std::vector<ModelEntry> scan();
  // kModelNotFound, with the names that there are in the message.
  [[nodiscard]] Result<ModelEntry> find(const std::string& name);
  // The model file as it is now: equal infos, equal bytes.
  [[nodiscard]] Result<FileInfo> file_info(const ModelEntry& entry);
  // XXH3-128 of the whole model file in hex, memoised by path, inode, size and mtime. Reads gigabytes: executor only.
  [[nodiscard]] Result<std::string> file_hash(const ModelEntry& entry);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rockllama
