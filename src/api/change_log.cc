#include "api/change_log.h"

#include <spdlog/spdlog.h>

#include <string>
#include <utility>

#include "base/clock.h"
#include "base/one_line.h"

namespace rockllama::api {
namespace {

class LoggedWriter : public http::BodyWriter {
 public:
  LoggedWriter(const http::Request& request, std::shared_ptr<http::BodyWriter> writer)
      : writer_(std::move(writer)), began_ms_(steady_ms()) {
    const std::string& caller = request.caller.empty() ? request.remote_address : request.caller;
    what_ = one_line("request " + request.id + " caller=" + caller + " " + request.method + " " + request.path);
  }

  void respond(http::ResponseHead head, std::string body) override {
    log(head.status);
    writer_->respond(std::move(head), std::move(body));
  }
  void begin(http::ResponseHead head) override {
    status_ = head.status;
    writer_->begin(std::move(head));
  }
  void write(std::string bytes) override { writer_->write(std::move(bytes)); }
  void finish() override {
    log(status_);
    writer_->finish();
  }
  [[nodiscard]] size_t pending_bytes() const override { return writer_->pending_bytes(); }
  void watch(std::function<void()> closed, std::function<void()> drained) override {
    writer_->watch(std::move(closed), std::move(drained));
  }

 private:
  void log(int status) const { spdlog::info("{} total={:.1f} ms status={}", what_, steady_ms() - began_ms_, status); }

  std::shared_ptr<http::BodyWriter> writer_;
  const double began_ms_;
  std::string what_;
  int status_ = 0;
};

}  // namespace

std::shared_ptr<http::BodyWriter> with_log_line(const http::Request& request,
                                                std::shared_ptr<http::BodyWriter> writer) {
  return std::make_shared<LoggedWriter>(request, std::move(writer));
}

}  // namespace rockllama::api
