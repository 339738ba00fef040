// A real listener on 127.0.0.1, its routes, and raw sockets to it.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "base/unique_fd.h"
#include "http/http_server.h"

namespace rockllama::http {

inline constexpr int kPatienceMs = 10'000;

class RawClient {
 public:
  explicit RawClient(uint16_t port, int receive_buffer = 0) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
  }
  // Reads until what was read ends with `end`; all there is, where the server closes before.
  std::string read_until(std::string_view end) {
    std::string text;
    while (!text.ends_with(end) && read_some(text)) {
    }
    return text;
  }
  std::string read_all() {
    std::string text;
    while (read_some(text)) {
    }
    return text;
  }
  void close() { fd_.reset(); }

 private:
  bool read_some(std::string& text) {
    pollfd waiting{fd_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, kPatienceMs) <= 0) {
      ADD_FAILURE() << "nothing came; so far: " << text;
      return false;
    }
    char buffer[1 << 14];
    const auto count = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    text.append(buffer, static_cast<size_t>(count));
    return true;
  }
  UniqueFd fd_;
};

// Counts events from other threads and lets a test wait for them.
class Bell {
 public:
  // Notifies with the lock held: who waits may destroy the bell as soon as it has the lock.
  void ring() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool wait_for(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(kPatienceMs), [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

using Writer = std::shared_ptr<BodyWriter>;
using Shared = std::shared_ptr<Request>;

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    options_.port = 0;
    router_.add("GET", "/hello", [](Shared request, Writer writer) { writer->respond({}, "hello " + request->id); });
    router_.add("POST", "/echo", [](Shared request, Writer writer) { writer->respond({}, request->body); });
    router_.add("GET", "/drop", [](auto, auto) {});
    router_.add("GET", "/throw", [](auto, auto) { throw std::runtime_error("no"); });
    router_.add("GET", "/stream", [](auto, Writer writer) {
      writer->begin({200, "text/plain"});
      for (const char* piece : {"one", "two"}) writer->write(piece);
      writer->finish();
    });
    router_.add("GET", "/hold", [this](auto, Writer writer) { hold(std::move(writer)); });
  }
  ~HttpServerTest() override { stop(0); }

  // A stream that goes on until the test ends it.
  void hold(Writer writer) {
    writer->begin({});
    writer->write("begun\n");
    writer->watch([this] { closed_.ring(); }, {});
    {
      const std::lock_guard lock(mutex_);
      held_ = std::move(writer);
    }
    held_bell_.ring();
  }
  Writer take_held() {
    EXPECT_TRUE(held_bell_.wait_for(1));
    const std::lock_guard lock(mutex_);
    return std::move(held_);
  }

  void start() {
    auto server = HttpServer::listen(options_, router_, executor_, [](int status, const std::string& message) {
      return std::to_string(status) + " " + message;
    });
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    port_ = server_->port();
    thread_ = std::thread([this] { server_->run(); });
  }
  void stop(uint32_t grace_ms) {
    if (!thread_.joinable()) return;
    server_->stop(grace_ms);
    thread_.join();
  }
  RawClient connect() { return RawClient(port_); }
  std::string ask(std::string_view bytes) {
    auto client = connect();
    client.send(bytes);
    return client.read_all();
  }

  // What handlers touch outlives the executor that runs them.
  Bell closed_, held_bell_;
  std::mutex mutex_;
  Writer held_;
  ServerOptions options_;
  Router router_;
  Executor executor_{2};
  std::unique_ptr<HttpServer> server_;
  uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace rockllama::http
