// Sends an archive to a client that may be slow: reads ahead by little, and only as the client takes. Any thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "base/executor.h"
#include "http/message.h"
#include "service/cache_archives.h"

namespace rockllama::api {

class ArchiveResponder : public std::enable_shared_from_this<ArchiveResponder> {
 public:
  // `executor` outlives the responder; files are read on it.
  ArchiveResponder(std::shared_ptr<http::BodyWriter> writer, CacheExport bytes, Executor* executor)
      : executor_(executor), writer_(std::move(writer)), bytes_(std::move(bytes)) {}

  // Once, on the executor. `file_name` is what the client is told to call the file.
  void begin(const std::string& file_name);

 private:
  void send_more();

  Executor* const executor_;
  std::atomic<bool> closed_ = false;
  std::mutex mutex_;  // of what follows
  std::shared_ptr<http::BodyWriter> writer_;
  CacheExport bytes_;
};

}  // namespace rockllama::api
