// Clients of a server on 127.0.0.1 that cost nearly nothing themselves, so that the server is what is measured: one
// thread, one poll. bench/http runs it; it prints one line of JSON.
//
//   stream_clients PORT streams COUNT TOKENS [HEALTH_MS]   reads streams as fast as they come, and asks /health every
//                                                          HEALTH_MS beside them
//   stream_clients PORT slow COUNT SECONDS                 reads a byte per second of each stream for so long, then
//                                                          counts those that the server has closed
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"

namespace rockllama {
namespace {

constexpr std::string_view kEvent = "data: {";
constexpr std::string_view kText = "\"content\":\" ";  // before the engine's clock, in microseconds
constexpr int kSlowTokens = 20'000;
constexpr int kSlowBufferBytes = 2048;

std::string health_request() { return "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"; }

std::string chat_request(int tokens) {
  const std::string body =
      "{\"messages\":[{\"role\":\"user\",\"content\":\"Hello!\"}],\"stream\":true,\"max_tokens\":" +
      std::to_string(tokens) + "}";
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

// Connected, with the request on its way. `buffer_bytes`: that the kernel may hold of the answer; 0 = its default.
UniqueFd ask(int port, const std::string& request, int buffer_bytes = 0) {
  UniqueFd peer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (buffer_bytes != 0) ::setsockopt(peer.get(), SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(peer.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) give_up("connect");
  const auto sent = ::send(peer.get(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size())) give_up("send");
  return peer;
}

// One stream, read to its end.
class Stream {
 public:
  Stream(int port, int tokens) : peer_(ask(port, chat_request(tokens))) {}
  [[nodiscard]] int descriptor() const { return peer_.get(); }
  [[nodiscard]] int events() const { return events_; }
  // False at the end. Adds the age of each token that tells when it was made.
  bool read(std::vector<double>* ages_us) {
    std::array<char, 1 << 16> bytes;
    const ssize_t count = ::recv(peer_.get(), bytes.data(), bytes.size(), 0);
    if (count <= 0) {
      peer_.reset();
      return false;
    }
    const double now_us = steady_ms() * 1000;
    rest_.append(bytes.data(), static_cast<size_t>(count));
    size_t begin = 0;
    for (size_t end = 0; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      take_line(std::string_view(rest_).substr(begin, end - begin), now_us, ages_us);
    }
    rest_.erase(0, begin);
    return true;
  }

 private:
  void take_line(std::string_view line, double now_us, std::vector<double>* ages_us) {
    if (!line.starts_with(kEvent)) return;
    ++events_;
    const size_t text = line.find(kText);
    if (text == std::string_view::npos) return;
    double said_us = 0;
    const char* const digits = line.data() + text + kText.size();
    if (std::from_chars(digits, line.data() + line.size(), said_us).ec == std::errc()) {
      ages_us->push_back(now_us - said_us);
    }
  }

  UniqueFd peer_;
  std::string rest_;  // of a line
  int events_ = 0;
};

// Asks /health again and again, on a new connection each time.
class HealthProbe {
 public:
  HealthProbe(int port, double every_ms) : port_(port), every_ms_(every_ms), due_ms_(steady_ms()) {}
  [[nodiscard]] int descriptor() const { return peer_.get(); }  // -1 between two answers: poll ignores it
  [[nodiscard]] double slowest_ms() const { return slowest_ms_; }
  // How long nothing is due; -1 = an answer is awaited, or nothing ever is.
  int wait_ms() const {
    if (every_ms_ == 0 || peer_.valid()) return -1;
    return std::max(0, static_cast<int>(due_ms_ - steady_ms()) + 1);
  }
  void ask_if_due() {
    if (every_ms_ == 0 || peer_.valid() || steady_ms() < due_ms_) return;
    began_ms_ = steady_ms();
    peer_ = ask(port_, health_request());
  }
  void read() {
    std::array<char, 4096> bytes;
    if (::recv(peer_.get(), bytes.data(), bytes.size(), 0) > 0) return;
    slowest_ms_ = std::max(slowest_ms_, steady_ms() - began_ms_);
    peer_.reset();
    due_ms_ = steady_ms() + every_ms_;
  }

 private:
  const int port_;
  const double every_ms_;
  UniqueFd peer_{};
  double due_ms_;
  double began_ms_ = 0;
  double slowest_ms_ = 0;
};

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

int read_streams(int port, int count, int tokens, int health_ms) {
  const double began_ms = steady_ms();
  std::vector<Stream> streams;
  for (int i = 0; i < count; ++i) streams.emplace_back(port, tokens);
  HealthProbe health(port, health_ms);
  std::vector<double> ages_us;
  ages_us.reserve(static_cast<size_t>(count) * static_cast<size_t>(tokens));
  std::vector<pollfd> ready(streams.size() + 1, pollfd{-1, POLLIN, 0});
  for (int open = count; open > 0;) {
    health.ask_if_due();
    for (size_t i = 0; i < streams.size(); ++i) ready[i].fd = streams[i].descriptor();
    ready.back().fd = health.descriptor();
    if (::poll(ready.data(), ready.size(), health.wait_ms()) < 0 && errno != EINTR) give_up("poll");
    if (ready.back().revents != 0) health.read();
    for (size_t i = 0; i < streams.size(); ++i) {
      if (ready[i].revents != 0 && !streams[i].read(&ages_us)) --open;
    }
  }
  const double seconds = (steady_ms() - began_ms) / 1000;
  std::sort(ages_us.begin(), ages_us.end());
  int events = 0;
  for (const Stream& stream : streams) events += stream.events();
  std::printf("{\"events\": %d, \"seconds\": %.4f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"slowest_health_ms\": %.2f}\n",
              events, seconds, percentile(ages_us, 0.5), percentile(ages_us, 0.99), health.slowest_ms());
  return 0;
}

// Whether the server has ended the connection; what it sent before is read first.
bool is_closed(int peer) {
  std::array<char, 1 << 16> bytes;
  for (;;) {
    const ssize_t count = ::recv(peer, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count <= 0) return count == 0 || (errno != EAGAIN && errno != EINTR);
  }
}

int read_slowly(int port, int count, int seconds) {
  std::vector<UniqueFd> peers;
  for (int i = 0; i < count; ++i) peers.push_back(ask(port, chat_request(kSlowTokens), kSlowBufferBytes));
  for (int second = 0; second < seconds; ++second) {
    ::sleep(1);
    char byte = 0;
    for (const UniqueFd& peer : peers) (void)::recv(peer.get(), &byte, 1, MSG_DONTWAIT);
  }
  const auto closed =
      std::count_if(peers.begin(), peers.end(), [](const UniqueFd& peer) { return is_closed(peer.get()); });
  std::printf("{\"readers\": %d, \"closed\": %d}\n", count, static_cast<int>(closed));
  return 0;
}

}  // namespace
}  // namespace rockllama

int main(int argc, char** argv) {
  const std::string_view mode = argc > 2 ? argv[2] : "";
  const auto number = [&](int i) { return i < argc ? std::atoi(argv[i]) : 0; };
  if (mode == "streams") return rockllama::read_streams(number(1), number(3), number(4), number(5));
  if (mode == "slow") return rockllama::read_slowly(number(1), number(3), number(4));
  std::fprintf(stderr,
               "stream_clients PORT streams COUNT TOKENS [HEALTH_MS]\nstream_clients PORT slow COUNT SECONDS\n");
  return 2;
}
