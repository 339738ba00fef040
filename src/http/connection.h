// One client of the HTTP server. Everything here runs on the HTTP thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

#include "base/unique_fd.h"
#include "http/asio.h"
#include "http/client_stream.h"
#include "http/http_server.h"
#include "http/request_parser.h"
#include "http/response_queue.h"

namespace rockllama::http {

class Connection;

// What all connections of a server share. The server owns it, and it outlives them.
struct ConnectionHost {
  ConnectionHost(const ServerOptions& server_options, const Router& server_router, Executor& server_executor,
                 ErrorBody body)
      : options(server_options), router(server_router), executor(server_executor), error_body(std::move(body)) {}

  const ServerOptions options;
  const Router& router;
  Executor& executor;
  const ErrorBody error_body;
  std::unordered_set<Connection*> connections;  // those that live
  bool stopping = false;
  net::io_context io{1};
  std::optional<net::ssl::context> tls;  // none = plain
  net::steady_timer grace{io};           // of a stop; cancelled when the last connection has ended
};

// Reads a request, waits for its response, sends it, and again. Every coroutine holds a reference, so that it lives as
// long as one of them.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(ConnectionHost& host, tcp::socket socket);
  ~Connection();

  // Until the client leaves, the server stops, or a request cannot be read.
  Task<void> serve();
  // At the connection limit: 503, then close.
  Task<void> refuse();
  // Between two requests.
  [[nodiscard]] bool idle() const { return idle_; }
  // Closes the socket at once.
  void abort();

 private:
  Task<bool> begin();

  // Reading (connection_input.cc).
  Task<bool> wait_for_request(bool first);
  // kRead, or why not as status_of says; 408 where the time for it is over.
  Task<int> read_request();
  Task<int> read_header_and_body();
  Task<int> read_into_file(const BodyFile& wanted);
  Task<Status> run_on_executor(std::function<Status()> work);
  Task<void> send_continue();
  // Reading ends after this time, with late_ set.
  void limit_reading(uint32_t time_ms);
  [[nodiscard]] std::shared_ptr<Request> make_request();

  // Answering (connection.cc).
  Task<bool> answer();
  Task<bool> send(ResponseQueue* queue);
  Task<bool> write(std::string bytes, ResponseQueue* queue);
  Task<void> watch();
  Task<void> end_watch();
  Task<void> send_error(int status, std::string message);
  Task<void> close();
  [[nodiscard]] std::shared_ptr<ResponseQueue> make_queue(const Request& request);
  void take_news();  // of the response
  void dispatch(const std::shared_ptr<Request>& request, const std::string& raw_path,
                const std::shared_ptr<ResponseQueue>& queue);

  Task<void> wait_for_signal();

  ConnectionHost& host_;
  ClientStream stream_;
  beast::flat_buffer buffer_;
  std::optional<RequestParser> parser_;
  UniqueFd body_file_;
  std::weak_ptr<ResponseQueue> answering_;  // the latest response
  net::steady_timer signal_;                // never expires; cancelled when something is new for the sending coroutine
  net::steady_timer deadline_;              // of what is being read
  std::string remote_address_;
  std::string raw_path_;
  bool idle_ = false;
  bool watching_ = false;
  bool answered_ = false;
  bool late_ = false;
  bool gone_ = false;
};

}  // namespace rockllama::http
