// A BodyWriter for tests: keeps what it is given. One thread.
#pragma once

#include <functional>
#include <string>

#include "http/message.h"

namespace rockllama::api {

class RecordingWriter : public http::BodyWriter {
 public:
  void respond(http::ResponseHead response_head, std::string body) override {
    head = std::move(response_head);
    bytes = std::move(body);
    finished = true;
  }
  void begin(http::ResponseHead response_head) override {
    head = std::move(response_head);
    begun = true;
  }
  void write(std::string more) override { bytes += more; }
  void finish() override { finished = true; }
  [[nodiscard]] size_t pending_bytes() const override { return pending; }
  void watch(std::function<void()>, std::function<void()>) override {}

  [[nodiscard]] std::string header(const std::string& name) const {
    for (const auto& [key, value] : head.headers) {
      if (key == name) return value;
    }
    return {};
  }

  http::ResponseHead head{.status = 0};
  std::string bytes;
  size_t pending = 0;
  bool begun = false;
  bool finished = false;
};

}  // namespace rockllama::api
