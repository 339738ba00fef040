// The response to the creation of a cache, whole or as a stream of its progress. Any thread.
#pragma once

#include <memory>
#include <mutex>

#include "api/cache_json.h"
#include "http/message.h"

namespace rockllama::api {

class CacheResponder {
 public:
  // `encode` makes the last object of what was created.
  using Encode = OrderedJson (*)(const CacheCreated& created);
  CacheResponder(std::shared_ptr<http::BodyWriter> writer, Encode encode)
      : writer_(std::move(writer)), encode_(encode) {}

  // Begins a stream. Never called where a whole response is wanted.
  void on_progress(const CacheProgress& progress);
  // Once. `stream`: whether the client asked for events.
  void on_created(const Result<CacheCreated>& created, bool stream);

 private:
  void begin();  // caller holds the mutex

  const std::shared_ptr<http::BodyWriter> writer_;
  const Encode encode_;
  std::mutex mutex_;
  bool begun_ = false;
  bool over_ = false;
};

}  // namespace rockllama::api
