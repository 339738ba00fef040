#include "api/cache_responder.h"

#include <utility>

#include "api/errors.h"

namespace rockllama::api {

void CacheResponder::begin() {
  if (std::exchange(begun_, true)) return;
  writer_->begin({.content_type = "text/event-stream", .headers = {{"Cache-Control", "no-cache"}}});
}

void CacheResponder::on_progress(const CacheProgress& progress) {
  const std::lock_guard lock(mutex_);
  if (over_) return;
  begin();
  writer_->write(sse_event(to_text(cache_progress_json(progress))));
}

void CacheResponder::on_created(const Result<CacheCreated>& created, bool stream) {
  const std::lock_guard lock(mutex_);
  over_ = true;
  if (!created && !begun_) return respond_error(*writer_, created.error());
  if (!stream) return respond_json(*writer_, encode_(*created));
  begin();
  std::string events = sse_event(to_text(created ? encode_(*created) : error_json(created.error())));
  if (created) events += kSseDone;
  writer_->write(std::move(events));
  writer_->finish();
}

}  // namespace rockllama::api
