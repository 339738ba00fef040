// Which models' states cannot be saved because the runtime ended in it: a small file of ours in the cache folder, so
// that a restarted server does not try again. Thread-safe.
//
// A model is meant by its fingerprint: another file, runtime or setting is another model, and is tried.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/file_system.h"

namespace rockllama {

class SaveCrashes {
 public:
  // Reads `path`; a file that is not there, or is damaged, remembers nothing.
  SaveCrashes(FileSystem* files, std::string path);

  // Why not to save; nothing where it may be tried.
  [[nodiscard]] std::optional<std::string> reason(const std::string& fingerprint) const;
  // A save ended the process; `certain`: nothing else can have. True where it is remembered from now on: if it is
  // certain, or the second since a state was saved. A file that cannot be written costs another crash after the next
  // start, nothing else.
  bool note_crash(const std::string& fingerprint, const std::string& reason, bool certain);
  // A state was saved: what was remembered holds no more.
  void note_saved(const std::string& fingerprint);

 private:
  void read();
  void write();

  FileSystem* const files_;
  const std::string path_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> reasons_;  // by fingerprint
  std::map<std::string, int> crashes_;          // since the last state that was saved, by fingerprint
};

}  // namespace rockllama
