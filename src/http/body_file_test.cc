// Bodies that go into files, from real sockets.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include "base/posix_file_system.h"
#include "http/http_client.h"
#include "tests/support/http_server_fixture.h"

namespace rockllama::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// A route whose bodies go into files; the handler says how large the file is and what it begins with.
class BodyFileTest : public HttpServerTest {
 protected:
  BodyFileTest() {
    options_.body_limit_bytes = 1 << 20;
    router_.add(
        "POST", "/file",
        [](const Shared& request, const Writer& writer) {
          if (!request->body_file.valid()) return writer->respond({}, "no body");
          const auto size = stat_descriptor(request->body_file.get())->size;
          std::string begin(8, '\0');
          begin.resize(read_descriptor(request->body_file.get(), 0, begin).value());
          writer->respond({}, std::to_string(size) + " " + begin + request->body);
        },
        BodyFile{kFileLimit, [this]() -> Result<UniqueFd> {
                   if (disk_is_broken_) return fail(ErrorCode::kNoSpace, "no space");
                   return UniqueFd(disk_is_full_ ? ::open("/dev/full", O_RDWR | O_CLOEXEC)
                                                 : ::memfd_create("body", MFD_CLOEXEC));
                 }});
  }
  std::string post(const std::string& body, const std::string& more = "") {
    RawClient client(server_->port());
    client.send("POST /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n" + more + "\r\n" + body);
    return client.read_all();
  }

  static constexpr uint64_t kFileLimit = 8 << 20;
  bool disk_is_full_ = false;
  bool disk_is_broken_ = false;
};

TEST_F(BodyFileTest, TakesABodyThatIsLargerThanTheServersLimit) {
  start();
  EXPECT_THAT(post("beginning" + std::string(5 << 20, 'x')), EndsWith(std::to_string((5 << 20) + 9) + " beginnin"));
  EXPECT_THAT(post("short"), EndsWith("5 short"));
  EXPECT_THAT(post(""), EndsWith("no body"));
}

TEST_F(BodyFileTest, TakesAChunkedBody) {
  start();
  RawClient client(server_->port());
  client.send("POST /file HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n");
  EXPECT_THAT(client.read_until("6 abcdef"), HasSubstr("200 OK"));
}

TEST_F(BodyFileTest, RefusesWhatIsOverItsLimit) {
  start();
  RawClient client(server_->port());
  client.send("POST /file HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\nExpect: 100-continue\r\n\r\n");
  const std::string answer = client.read_all();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413"));
  RawClient chunked(server_->port());
  chunked.send("POST /file HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "100000\r\n" + std::string(1 << 20, 'x') + "\r\n";
  for (int i = 0; i < 9; ++i) chunked.send(chunk);
  EXPECT_THAT(chunked.read_all(), StartsWith("HTTP/1.1 413"));
}

TEST_F(BodyFileTest, OtherRoutesKeepTheirLimit) {
  start();
  RawClient client(server_->port());
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n");
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 413"));
}

TEST_F(BodyFileTest, SaysThatTheDiskIsFull) {
  disk_is_full_ = true;
  start();
  EXPECT_THAT(post(std::string(100, 'x')), StartsWith("HTTP/1.1 507"));
  disk_is_broken_ = true;
  EXPECT_THAT(post(std::string(100, 'x')), StartsWith("HTTP/1.1 507"));
  disk_is_broken_ = disk_is_full_ = false;
  EXPECT_THAT(post("fine"), EndsWith("4 fine"));
}

TEST_F(BodyFileTest, Answers408ToAClientThatStopsSending) {
  options_.body_timeout_ms = 300;
  start();
  RawClient client(server_->port());
  client.send("POST /file HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nbegun");
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(post("fine"), EndsWith("4 fine"));
}

TEST_F(BodyFileTest, KeepsNothingOfARequestThatTheGuardRefuses) {
  Router guarded;
  bool opened = false;
  guarded.set_guard([](Request& request, BodyWriter& writer) {
    if (request.header("authorization") == "Bearer right") return true;
    writer.respond({401}, "no key");
    return false;
  });
  guarded.add(
      "POST", "/file", [](const Shared&, const Writer& writer) { writer->respond({}, "taken"); },
      BodyFile{kFileLimit, [&]() -> Result<UniqueFd> {
                 opened = true;
                 return UniqueFd(::memfd_create("body", MFD_CLOEXEC));
               }});
  router_ = guarded;
  start();
  EXPECT_THAT(post("body"), StartsWith("HTTP/1.1 401"));
  EXPECT_FALSE(opened);
  EXPECT_THAT(post("body", "Authorization: Bearer right\r\n"), EndsWith("taken"));
}

TEST_F(BodyFileTest, IsSentByTheClient) {
  start();
  const std::string body(3 << 20, 'y');
  const UniqueFd file(::memfd_create("upload", MFD_CLOEXEC));
  ASSERT_TRUE(write_descriptor(file.get(), body));
  HttpClient client("127.0.0.1", server_->port(), kPatienceMs);
  ClientRequest request{.method = "POST", .target = "/file"};
  request.body_file = file.get();
  request.body_bytes = body.size();
  uint64_t sent = 0;
  request.on_sent = [&](uint64_t bytes) { sent = bytes; };
  const auto answer = client.send(request);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, std::to_string(body.size()) + " yyyyyyyy");
  EXPECT_EQ(sent, body.size());
  request.body_bytes = kFileLimit + 1;
  const auto refused = client.send(request);
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_EQ(refused->status, 413);
}

}  // namespace
}  // namespace rockllama::http
