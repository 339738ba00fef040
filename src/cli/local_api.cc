#include "cli/local_api.h"

#include <fcntl.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "http/target.h"

namespace rockllama {
namespace {

// What a handler writes, handed on at once; nothing is ever pending.
class LocalAnswer {
 public:
  explicit LocalAnswer(const http::ClientRequest& request) : request_(request) {}

  void begin(const http::ResponseHead& head) {
    const std::lock_guard lock(mutex_);
    response_.status = head.status;
    if (in_pieces() && head.length && request_.on_length) request_.on_length(*head.length);
  }
  void write(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    if (hung_up_ || bytes.empty()) return;
    if (in_pieces()) {
      hung_up_ = !request_.on_piece(bytes);
    } else {
      response_.body += bytes;
    }
  }
  void end(bool whole) {
    {
      const std::lock_guard lock(mutex_);
      if (ended_) return;
      ended_ = true;
      whole_ = whole;
    }
    changed_.notify_all();
  }
  Result<http::ClientResponse> wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_; });
    if (!whole_) return fail(ErrorCode::kIo, "the answer broke off");
    return std::move(response_);
  }

 private:
  [[nodiscard]] bool in_pieces() const { return request_.on_piece && response_.status == 200; }

  const http::ClientRequest& request_;
  std::mutex mutex_;
  std::condition_variable changed_;
  http::ClientResponse response_;
  bool hung_up_ = false;
  bool ended_ = false;
  bool whole_ = false;
};

class LocalWriter : public http::BodyWriter {
 public:
  explicit LocalWriter(std::shared_ptr<LocalAnswer> answer) : answer_(std::move(answer)) {}
  ~LocalWriter() override { answer_->end(false); }
  void respond(http::ResponseHead head, std::string body) override {
    answer_->begin(head);
    answer_->write(body);
    answer_->end(true);
  }
  void begin(http::ResponseHead head) override { answer_->begin(head); }
  void write(std::string bytes) override { answer_->write(bytes); }
  void finish() override { answer_->end(true); }
  [[nodiscard]] size_t pending_bytes() const override { return 0; }
  void watch(std::function<void()>, std::function<void()>) override {}

 private:
  std::shared_ptr<LocalAnswer> answer_;
};

}  // namespace

Result<http::ClientResponse> ask_locally(const http::Router& router, const http::ClientRequest& request) {
  auto target = http::parse_target(request.target);
  auto match = router.match(request.method, target.path);
  if (match.handler == nullptr) return fail(ErrorCode::kNotFound, "there is nothing at " + target.path);
  const auto asked = std::make_shared<http::Request>();
  asked->method = request.method;
  asked->path = http::percent_decode(target.path);
  asked->query = std::move(target.query);
  asked->body = request.body;
  asked->path_values = std::move(match.path_values);
  if (request.body_file >= 0) asked->body_file = UniqueFd(::fcntl(request.body_file, F_DUPFD_CLOEXEC, 0));
  const auto answer = std::make_shared<LocalAnswer>(request);
  (*match.handler)(asked, std::make_shared<LocalWriter>(answer));
  return answer->wait();
}

}  // namespace rockllama
