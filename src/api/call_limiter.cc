#include "api/call_limiter.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "api/errors.h"
#include "base/clock.h"
#include "base/one_line.h"

namespace rockllama::api {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

int whole_seconds(double ms) { return static_cast<int>(std::ceil(ms / 1000)); }

Headers headers_of(const CallLimits& limits, const CallVerdict& verdict) {
  if (limits.requests_per_minute == 0) return {};
  return {{"x-ratelimit-limit-requests", std::to_string(limits.requests_per_minute)},
          {"x-ratelimit-remaining-requests", std::to_string(verdict.remaining)},
          {"x-ratelimit-reset-requests", std::to_string(whole_seconds(verdict.reset_ms)) + "s"}};
}

std::string refusal(const CallLimits& limits, const CallVerdict& verdict) {
  if (verdict.too_many_at_once) {
    return "this API key may have " + std::to_string(limits.parallel) + " requests at once, and has them";
  }
  return "this API key may send " + std::to_string(limits.requests_per_minute) + " requests in a minute";
}

// Passes everything on, with the headers. The request has ended before its client can know the whole response, or when
// this is let go.
class LimitedWriter : public http::BodyWriter {
 public:
  LimitedWriter(std::shared_ptr<http::BodyWriter> writer, Headers headers, std::function<void()> ended)
      : writer_(std::move(writer)), headers_(std::move(headers)), ended_(std::move(ended)) {}
  ~LimitedWriter() override { end(); }

  void respond(http::ResponseHead head, std::string body) override {
    end();
    writer_->respond(with_headers(std::move(head)), std::move(body));
  }
  void begin(http::ResponseHead head) override { writer_->begin(with_headers(std::move(head))); }
  void write(std::string bytes) override { writer_->write(std::move(bytes)); }
  void finish() override {
    end();
    writer_->finish();
  }
  [[nodiscard]] size_t pending_bytes() const override { return writer_->pending_bytes(); }
  void watch(std::function<void()> closed, std::function<void()> drained) override {
    writer_->watch(std::move(closed), std::move(drained));
  }

 private:
  void end() {
    if (const auto ended = std::exchange(ended_, {})) ended();
  }
  http::ResponseHead with_headers(http::ResponseHead head) const {
    head.headers.insert(head.headers.end(), headers_.begin(), headers_.end());
    return head;
  }

  std::shared_ptr<http::BodyWriter> writer_;
  Headers headers_;
  std::function<void()> ended_;
};

}  // namespace

CallVerdict CallLimiter::take(const std::string& caller) {
  const std::lock_guard lock(mutex_);
  return budgets_.try_emplace(caller, limits_).first->second.take(steady_ms());
}

void CallLimiter::ended(const std::string& caller) {
  const std::lock_guard lock(mutex_);
  budgets_.at(caller).ended();
}

http::Handler CallLimiter::limited(http::Handler handler) {
  return [self = shared_from_this(), handler = std::move(handler)](const std::shared_ptr<http::Request>& request,
                                                                   const std::shared_ptr<http::BodyWriter>& writer) {
    const std::string caller = request->caller;
    const CallVerdict verdict = self->take(caller);
    Headers headers = headers_of(self->limits_, verdict);
    if (verdict.admitted) {
      return handler(request, std::make_shared<LimitedWriter>(writer, std::move(headers),
                                                              [self, caller] { self->ended(caller); }));
    }
    const std::string message = refusal(self->limits_, verdict);
    spdlog::info("request {} caller={} status=429 {}", one_line(request->id), caller, message);
    headers.emplace_back("Retry-After", std::to_string(std::max(whole_seconds(verdict.retry_ms), 1)));
    writer->respond({.status = 429, .headers = std::move(headers)}, to_text(rate_limit_json(message)));
  };
}

}  // namespace rockllama::api
