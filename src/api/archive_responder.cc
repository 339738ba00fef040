#include "api/archive_responder.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace rockllama::api {
namespace {

constexpr size_t kPieceBytes = size_t{256} << 10;
constexpr size_t kAheadBytes = 2 * kPieceBytes;

}  // namespace

void ArchiveResponder::begin(const std::string& file_name) {
  writer_->watch([self = shared_from_this()] { self->closed_ = true; },
                 [self = shared_from_this()] { self->executor_->post([self] { self->send_more(); }); });
  writer_->begin({.content_type = "application/x-tar",
                  .headers = {{"Content-Disposition", "attachment; filename=\"" + file_name + "\""}},
                  .length = bytes_.size()});
  send_more();
}

void ArchiveResponder::send_more() {
  const std::lock_guard lock(mutex_);
  while (writer_ && !closed_ && writer_->pending_bytes() < kAheadBytes) {
    auto piece = bytes_.next(kPieceBytes);
    if (piece && !piece->empty()) {
      writer_->write(std::move(*piece));
      continue;
    }
    if (piece) {
      writer_->finish();
    } else {
      spdlog::warn("an export broke off: {}", piece.error().message);
    }
    // A writer that is dropped before it has finished breaks the connection off, so that the client notices.
    writer_.reset();
  }
}

}  // namespace rockllama::api
