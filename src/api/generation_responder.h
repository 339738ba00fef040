// Turns the events of one completion into its HTTP response, whole or as a stream, and the client's pace into credit.
// Any thread: events come from the service, on_closed and on_drained from the HTTP thread, heartbeats from the
// executor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "api/completion_encoder.h"
#include "api/completion_log.h"
#include "http/message.h"
#include "service/completions.h"

namespace rockllama::api {

class GenerationResponder {
 public:
  struct Options {
    Dialect dialect = kChatDialect;
    bool stream = false;
    bool include_usage = false;
    std::string request_id{};
    std::string caller{};
    std::string model{};  // as the client wrote it
    int64_t created = 0;  // Unix seconds
  };
  // How the responder reaches back to the generation. Called without the responder's lock.
  struct Control {
    std::function<void()> cancel;
    std::function<void(uint32_t tokens)> add_credit;
  };

  GenerationResponder(const Options& options, std::shared_ptr<http::BodyWriter> writer);

  // Once; what came before it is made up for.
  void attach(Control control);
  void on_event(const CompletionEvent& event);
  void on_closed();   // the client left: cancels
  void on_drained();  // the client took everything
  // A sign of life, if nothing was written since the last call. False when the response is complete.
  bool heartbeat();

 private:
  // All of these: caller holds the mutex.
  void started(const CompletionStarted& event);
  void text(const CompletionText& event);
  void done(const CompletionDone& event);
  void failed(const Error& error);
  void send_head(const CacheUse* cache);
  void send(std::string bytes);
  [[nodiscard]] std::string opening();
  [[nodiscard]] uint32_t take_credit();
  [[nodiscard]] const Control* control() const { return attached_ ? &control_ : nullptr; }
  void log();

  const std::shared_ptr<http::BodyWriter> writer_;
  const bool stream_;

  std::mutex mutex_;
  CompletionEncoder encoder_;
  CompletionLog log_;
  Control control_;  // does not change once attached
  bool attached_ = false;
  bool over_ = false;    // the last event came
  bool closed_ = false;  // the client left
  bool head_sent_ = false;
  bool opened_ = false;
  bool quiet_ = true;  // nothing was sent since the last heartbeat
  uint32_t owed_ = 0;  // tokens that came since credit was given
  std::string text_;   // of a whole response
};

}  // namespace rockllama::api
