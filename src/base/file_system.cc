#include "base/file_system.h"

namespace rockllama {

Status replace_file(FileSystem* files, const std::string& temporary, const std::string& path, std::string_view bytes) {
  Status status = files->write_synced(temporary, bytes);
  if (status) status = files->rename(temporary, path);
  if (!status) (void)files->remove(temporary);
  return status;
}

}  // namespace rockllama
