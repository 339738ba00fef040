// A server that a benchmark starts, asks and ends: this very program as a child process.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/subprocess.h"
#include "http/http_client.h"

namespace rockllama {

struct BenchServerOptions {
  std::string model;
  std::string models_folder;
  std::string scratch_folder;  // for caches, settings and the log; exists
};

class BenchServer {
 public:
  // Returns when the model is loaded and /ready says so; kUnavailable, with its log, when that does not come.
  [[nodiscard]] static Result<BenchServer> start(const BenchServerOptions& options);

  // Lets the server end by itself, which keeps its caches; the destructor kills it.
  void stop();
  [[nodiscard]] http::HttpClient client() const;

 private:
  BenchServer(Subprocess process, uint16_t port) : process_(std::move(process)), port_(port) {}
  [[nodiscard]] Status wait_until_ready();

  Subprocess process_;
  uint16_t port_;
};

}  // namespace rockllama
