#include "cli/bench_server.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/clock.h"
#include "base/unique_fd.h"

namespace rockllama {
namespace {

constexpr uint32_t kRequestTimeoutMs = 300'000;
constexpr double kReadyTimeoutMs = 300'000;
constexpr int kStopTimeoutMs = 30'000;

Result<uint16_t> free_port() {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* name = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), name, size) != 0 || ::getsockname(socket.get(), name, &size) != 0) {
    return fail(ErrorCode::kIo, "no free port on 127.0.0.1");
  }
  return ntohs(address.sin_port);
}

// The program that runs, whatever it is called.
std::string this_program() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).string();
}

std::string text_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

Status write_settings(const BenchServerOptions& options, const std::string& file) {
  const nlohmann::json settings = {{"models", {{"folder", options.models_folder}, {"preload", {options.model}}}},
                                   {"cache", {{"folder", options.scratch_folder + "/cache"}}}};
  std::ofstream stream(file);
  stream << settings << '\n';
  if (!stream.flush()) return fail(ErrorCode::kIo, "cannot write " + file);
  return {};
}

}  // namespace

Result<BenchServer> BenchServer::start(const BenchServerOptions& options) {
  const std::string settings = options.scratch_folder + "/rockllama.json";
  const std::string log = options.scratch_folder + "/server.log";
  if (const auto written = write_settings(options, settings); !written) return tl::unexpected(written.error());
  const auto port = free_port();
  if (!port) return tl::unexpected(port.error());
  // The shell gives the server's output a file of its own and becomes the server.
  auto process = Subprocess::spawn({"/bin/sh", "-c", R"(exec "$@" >"$0" 2>&1)", log, this_program(), "serve",
                                    "--config", settings, "--host", "127.0.0.1", "--port", std::to_string(*port)},
                                   {});
  if (!process) return tl::unexpected(process.error());
  BenchServer server(std::move(*process), *port);
  if (const auto ready = server.wait_until_ready(); !ready) {
    return fail(ready.error().code, ready.error().message + "; its log:\n" + text_of(log));
  }
  return server;
}

Status BenchServer::wait_until_ready() {
  http::HttpClient probe = client();
  for (const double began = steady_ms(); steady_ms() - began < kReadyTimeoutMs;) {
    if (const auto answer = probe.request("GET", "/ready", ""); answer && answer->status == 200) return {};
    if (const auto ended = process_.wait(20))
      return fail(ErrorCode::kUnavailable, "the server ended: " + to_string(*ended));
  }
  return fail(ErrorCode::kUnavailable, "the server did not become ready");
}

void BenchServer::stop() {
  process_.signal(SIGTERM);
  (void)process_.wait(kStopTimeoutMs);
}

http::HttpClient BenchServer::client() const { return {"127.0.0.1", port_, kRequestTimeoutMs}; }

}  // namespace rockllama
