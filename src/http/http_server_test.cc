// A real listener on 127.0.0.1 and raw sockets.
#include "http/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "http/http_client.h"
#include "tests/support/http_server_fixture.h"

namespace rockllama::http {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(HttpServerTest, KeepsTheConnectionAndEchoesTheRequestId) {
  start();
  auto client = connect();
  client.send("GET /hello HTTP/1.1\r\nX-Request-Id: abc\r\n\r\n");
  EXPECT_THAT(client.read_until("hello abc"), HasSubstr("x-request-id: abc\r\n"));
  client.send("POST /echo HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_THAT(client.read_until("body"), HasSubstr("x-request-id: req-"));
}

TEST_F(HttpServerTest, KeepsPipelinedRequestsInOrder) {
  start();
  auto client = connect();
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += "POST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\n" + std::to_string(100 + i);
  }
  client.send(all + "GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n");
  const auto answer = client.read_all();
  size_t position = 0;
  for (int i = 0; i < 50; ++i) {
    position = answer.find("\r\n\r\n" + std::to_string(100 + i), position);
    ASSERT_NE(position, std::string::npos) << i;
  }
  EXPECT_THAT(answer, EndsWith("404 there is nothing at this path"));
}

TEST_F(HttpServerTest, TakesARequestByteByByte) {
  start();
  auto client = connect();
  for (const char c : std::string("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")) {
    client.send({&c, 1});
  }
  EXPECT_THAT(client.read_until("abc"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, StreamsInChunksAndToOldClientsWithout) {
  start();
  EXPECT_THAT(ask("GET /stream HTTP/1.1\r\nConnection: close\r\n\r\n"),
              EndsWith("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"));
  const auto old = ask("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(old, EndsWith("\r\n\r\nonetwo"));
}

TEST_F(HttpServerTest, KeepsWhatASlowClientDoesNotReadOutOfTheKernel) {
  constexpr size_t kBytes = 8 << 20, kKernelBytes = 1 << 20;
  options_.output_limit_bytes = 2 * kBytes;
  start();
  RawClient client(port_, 4096);
  client.send("GET /hold HTTP/1.1\r\n\r\n");
  const auto writer = take_held();
  writer->write(std::string(kBytes, 'x'));
  // Each of these comes after what the server could write before.
  for (int i = 0; i < 20; ++i)
    EXPECT_THAT(ask("GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n"), HasSubstr("200 OK"));
  EXPECT_GT(writer->pending_bytes(), kBytes - kKernelBytes);
}

TEST_F(HttpServerTest, AnswersHeadWithoutABody) {
  start();
  auto client = connect();
  client.send("HEAD /hello HTTP/1.1\r\nx-request-id: a\r\n\r\nGET /hello HTTP/1.1\r\nx-request-id: b\r\n\r\n");
  const auto answer = client.read_until("hello b");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 7\r\nx-request-id: a\r\n\r\nHTTP/1.1 200 OK"));
}

TEST_F(HttpServerTest, SaysWhichMethodsAPathHas) {
  start();
  const auto answer = ask("DELETE /hello HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer, HasSubstr("Allow: GET\r\n"));
  EXPECT_THAT(answer, EndsWith("405 this path has other methods"));
}

TEST_F(HttpServerTest, Answers500WhenAHandlerDropsOrThrows) {
  start();
  EXPECT_THAT(ask("GET /drop HTTP/1.1\r\nConnection: close\r\n\r\n"), EndsWith("500 internal error"));
  EXPECT_THAT(ask("GET /throw HTTP/1.1\r\nConnection: close\r\n\r\n"), EndsWith("500 internal error"));
}

TEST_F(HttpServerTest, RefusesAHeaderOverTheLimit) {
  options_.header_limit_bytes = 1000;
  start();
  EXPECT_THAT(ask("GET /hello HTTP/1.1\r\nx: " + std::string(5000, 'y')), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, RefusesABodyOverTheLimitBeforeReadingIt) {
  options_.body_limit_bytes = 1000;
  start();
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nContent-Length: 1001\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
  const auto chunk = "258\r\n" + std::string(600, 'x') + "\r\n";
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, LetsTheClientReadThe413WhileItStillSends) {
  options_.body_limit_bytes = 1000;
  start();
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nContent-Length: 4000000\r\n\r\n" + std::string(4'000'000, 'x'));
  EXPECT_THAT(client.read_all(), EndsWith("413 the request body is too large"));
}

TEST_F(HttpServerTest, AsksForTheBodyThatAClientHoldsBack) {
  start();
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  EXPECT_THAT(client.read_until("ok"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, RefusesGarbage) {
  start();
  EXPECT_THAT(ask(std::string("\x16\x03\x01\0\xff garbage\r\n\r\n", 17)), StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpServerTest, Answers408ToHalfARequestAndClosesSilentConnections) {
  options_.header_timeout_ms = options_.body_timeout_ms = options_.idle_timeout_ms = 50;
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(connect());
  for (auto& client : clients) client.send("POST /echo HTTP/1.1\r\nContent-");
  auto silent = connect();
  auto body = connect();
  body.send("POST /echo HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf");
  auto again = connect();
  again.send("GET /hello HTTP/1.1\r\n\r\n");
  for (auto& client : clients) {
    EXPECT_THAT(client.read_all(), AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("\r\nConnection: close\r\n")));
  }
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_THAT(body.read_all(), EndsWith("408 the request did not arrive within its time"));
  EXPECT_THAT(again.read_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, RefusesConnectionsOverTheLimit) {
  options_.max_connections = 1;
  start();
  auto first = connect();
  first.send("GET /hello HTTP/1.1\r\nx-request-id: a\r\n\r\n");
  first.read_until("hello a");
  auto second = connect();
  EXPECT_THAT(second.read_all(), EndsWith("503 too many connections"));
}

TEST_F(HttpServerTest, TellsTheHandlerThatTheClientLeft) {
  start();
  auto client = connect();
  client.send("GET /hold HTTP/1.1\r\n\r\n");
  client.read_until("begun\n\r\n");
  const auto writer = take_held();
  client.close();
  EXPECT_TRUE(closed_.wait_for(1));
  writer->write("into the void");
  EXPECT_EQ(writer->pending_bytes(), 0u);
}

TEST_F(HttpServerTest, KeepsWhatAClientSendsWhileItWaits) {
  start();
  auto client = connect();
  client.send("GET /hold HTTP/1.1\r\n\r\n");
  client.read_until("begun\n\r\n");
  client.send("GET /hello HTTP/1.1\r\nx-request-id: next\r\n\r\n");
  take_held()->finish();
  EXPECT_THAT(client.read_until("hello next"), StartsWith("0\r\n\r\nHTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, CutsOffAReaderThatIsTooFarBehind) {
  options_.output_limit_bytes = 100'000;
  start();
  RawClient client(port_, 4096);
  client.send("GET /hold HTTP/1.1\r\n\r\n");
  client.read_until("begun\n\r\n");
  const auto writer = take_held();
  for (int i = 0; i < 2000; ++i) writer->write(std::string(10'000, 'x'));
  EXPECT_TRUE(closed_.wait_for(1));
  EXPECT_FALSE(client.read_all().ends_with("0\r\n\r\n"));
}

TEST_F(HttpServerTest, CutsOffAReaderThatTakesNothing) {
  options_.write_timeout_ms = 50;
  options_.output_limit_bytes = 64u << 20;
  start();
  RawClient client(port_, 4096);
  client.send("GET /hold HTTP/1.1\r\n\r\n");
  client.read_until("begun\n\r\n");
  const auto writer = take_held();
  writer->write(std::string(20'000'000, 'x'));
  EXPECT_TRUE(closed_.wait_for(1));
}

TEST_F(HttpServerTest, BreaksAStreamWhoseWriterWasDropped) {
  start();
  auto client = connect();
  client.send("GET /hold HTTP/1.1\r\n\r\n");
  client.read_until("begun\n\r\n");
  take_held().reset();
  EXPECT_EQ(client.read_all(), "");
}

TEST_F(HttpServerTest, StopsAfterTheRunningStreamIsComplete) {
  start();
  auto client = connect();
  auto idle = connect();
  client.send("GET /hold HTTP/1.1\r\n\r\n");
  client.read_until("begun\n\r\n");
  server_->stop(60'000);
  EXPECT_EQ(idle.read_all(), "");
  take_held()->finish();
  EXPECT_EQ(client.read_all(), "0\r\n\r\n");
  thread_.join();
}

TEST_F(HttpServerTest, EndsWhatRunsWhenTheGraceIsOver) {
  start();
  auto client = connect();
  client.send("GET /hold HTTP/1.1\r\n\r\n");
  client.read_until("begun\n\r\n");
  const auto writer = take_held();
  stop(20);
  EXPECT_TRUE(closed_.wait_for(1));
  server_.reset();
  writer->write("the server is gone");
  writer->finish();
}

TEST_F(HttpServerTest, SaysThatThePortIsInUseOrTheHostIsBad) {
  start();
  const auto body = [](int, const std::string& message) { return message; };
  options_.port = port_;
  EXPECT_EQ(HttpServer::listen(options_, router_, executor_, body).error().code, ErrorCode::kConflict);
  options_.host = "not a host";
  EXPECT_EQ(HttpServer::listen(options_, router_, executor_, body).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(HttpServerTest, ServesManyClientsAtOnce) {
  start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 25; ++i) {
        HttpClient client("127.0.0.1", port_, kPatienceMs);
        const auto text = std::string(static_cast<size_t>(i) * 1000, 'x');
        const auto response = client.request("POST", "/echo", text);
        EXPECT_TRUE(response && response->status == 200 && response->body == text);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_F(HttpServerTest, HandsAStreamToTheClientInPieces) {
  start();
  HttpClient client("127.0.0.1", port_, kPatienceMs);
  std::string text;
  const auto response = client.stream("GET", "/stream", "", [&](std::string_view piece) {
    text += piece;
    return true;
  });
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(text, "onetwo");
  EXPECT_EQ(client.stream("GET", "/nothing", "", {})->body, "404 there is nothing at this path");
}

TEST(HttpClient, SaysThatNothingListens) {
  EXPECT_EQ(HttpClient("127.0.0.1", 1, 1000).request("GET", "/", "").error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace rockllama::http
