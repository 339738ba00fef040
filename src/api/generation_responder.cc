#include "api/generation_responder.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "api/errors.h"
#include "api/usage_json.h"

namespace rockllama::api {
namespace {

// Credit goes back in portions: a frame to the worker for each token would cost more than it holds back.
constexpr uint32_t kCreditPortion = 32;

}  // namespace

GenerationResponder::GenerationResponder(const Options& options, std::shared_ptr<http::BodyWriter> writer)
    : writer_(std::move(writer)),
      stream_(options.stream),
      encoder_(options.dialect, options.request_id, options.created, options.include_usage),
      log_{.request_id = options.request_id, .caller = options.caller, .model = options.model} {
  encoder_.set_model(options.model);
}

void GenerationResponder::attach(Control control) {
  bool cancel = false;
  uint32_t credit = 0;
  {
    const std::lock_guard lock(mutex_);
    control_ = std::move(control);
    attached_ = true;
    cancel = closed_;
    credit = take_credit();
  }
  if (cancel) control_.cancel();
  if (credit > 0) control_.add_credit(credit);
}

void GenerationResponder::on_event(const CompletionEvent& event) {
  uint32_t credit = 0;
  const Control* to = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (over_) return;
    if (const auto* start = std::get_if<CompletionStarted>(&event)) started(*start);
    if (const auto* piece = std::get_if<CompletionText>(&event)) text(*piece);
    if (const auto* end = std::get_if<CompletionDone>(&event)) done(*end);
    if (const auto* error = std::get_if<Error>(&event)) failed(*error);
    credit = take_credit();
    to = control();
  }
  if (credit > 0) to->add_credit(credit);
}

void GenerationResponder::on_closed() {
  const Control* to = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (over_ || closed_) return;
    closed_ = true;
    to = control();
  }
  if (to != nullptr) to->cancel();
}

void GenerationResponder::on_drained() {
  uint32_t credit = 0;
  const Control* to = nullptr;
  {
    const std::lock_guard lock(mutex_);
    credit = take_credit();
    to = control();
  }
  if (credit > 0) to->add_credit(credit);
}

bool GenerationResponder::heartbeat() {
  const std::lock_guard lock(mutex_);
  if (over_ || closed_ || !stream_) return false;
  // A client that does not read gets no more to read.
  if (quiet_ && writer_->pending_bytes() == 0) {
    send_head(nullptr);
    writer_->write(": heartbeat\n\n");
  }
  quiet_ = true;
  return true;
}

void GenerationResponder::started(const CompletionStarted& event) {
  // Also of a request that begins anew: its worker died, and with it what came before.
  text_.clear();
  owed_ = 0;
  log_.completion_tokens = 0;
  log_.model = event.model;
  log_.cache = event.cache;
  log_.prompt_tokens = event.prompt_tokens;
  encoder_.set_model(event.model);
  if (stream_) send_head(event.cache.provisional ? nullptr : &event.cache);
}

void GenerationResponder::text(const CompletionText& event) {
  owed_ += event.tokens;
  log_.completion_tokens += event.tokens;
  if (event.text.empty()) return;
  if (stream_) {
    send(opening() + encoder_.text(event.text));
  } else {
    text_ += event.text;
  }
}

void GenerationResponder::done(const CompletionDone& event) {
  log_.model = event.model;
  log_.cache = event.cache;
  log_.prompt_tokens = event.usage.prompt_tokens;
  log_.completion_tokens = event.usage.completion_tokens;
  log_.ttft_ms = event.ttft_ms;
  log_.total_ms = event.total_ms;
  log_.tokens_per_second = event.tokens_per_second;
  if (stream_) {
    send_head(&event.cache);
    send(opening() + encoder_.ending(event));
    writer_->finish();
  } else {
    http::ResponseHead head;
    head.headers.emplace_back("x-prompt-cache", prompt_cache_header(event.cache));
    writer_->respond(std::move(head), encoder_.whole(text_, event));
  }
  log();
}

void GenerationResponder::failed(const Error& error) {
  log_.status = status_of(error.code);
  log_.error = error.message;
  if (head_sent_) {
    send(sse_event(to_text(error_json(error))));
    writer_->finish();
  } else {
    respond_error(*writer_, error);
  }
  log();
}

void GenerationResponder::send_head(const CacheUse* cache) {
  if (head_sent_) return;
  head_sent_ = true;
  http::ResponseHead head{.content_type = "text/event-stream", .headers = {{"Cache-Control", "no-cache"}}};
  if (cache != nullptr) head.headers.emplace_back("x-prompt-cache", prompt_cache_header(*cache));
  writer_->begin(std::move(head));
}

void GenerationResponder::send(std::string bytes) {
  send_head(nullptr);
  writer_->write(std::move(bytes));
  quiet_ = false;
}

std::string GenerationResponder::opening() { return std::exchange(opened_, true) ? std::string() : encoder_.opening(); }

uint32_t GenerationResponder::take_credit() {
  if (!attached_ || over_ || owed_ < kCreditPortion) return 0;
  if (stream_ && writer_->pending_bytes() > 0) return 0;
  return std::exchange(owed_, 0);
}

// The response is complete.
void GenerationResponder::log() {
  over_ = true;
  if (closed_) log_.status = status_of(ErrorCode::kCancelled);
  spdlog::info(log_line(log_));
}

}  // namespace rockllama::api
