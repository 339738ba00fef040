#include "http/response_text.h"

#include <gtest/gtest.h>

namespace rockllama::http {
namespace {

TEST(ResponseText, FramesAWholeBodyByItsLength) {
  EXPECT_EQ(head_text({200, "text/plain", {{"a", "b"}}}, {.request_id = "r1"}, 5),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nx-request-id: r1\r\na: b\r\n\r\n");
}

TEST(ResponseText, FramesAStreamByChunks) {
  EXPECT_EQ(head_text({}, {}, {}),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(chunk_text(std::string(26, 'x')), "1a\r\n" + std::string(26, 'x') + "\r\n");
}

TEST(ResponseText, EndsAStreamWithTheConnectionWhereChunksAreNotKnown) {
  EXPECT_EQ(head_text({}, {.chunked = false, .keep_alive = true}, {}),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n");
}

TEST(ResponseText, LetsNoHeaderValueBreakTheLine) {
  EXPECT_EQ(head_text({404, "a", {{"x", "1\r\nevil: 2"}}}, {.keep_alive = false}, 0),
            "HTTP/1.1 404 Not Found\r\nContent-Type: a\r\nContent-Length: 0\r\nConnection: close\r\nx: 1??evil: "
            "2\r\n\r\n");
}

}  // namespace
}  // namespace rockllama::http
