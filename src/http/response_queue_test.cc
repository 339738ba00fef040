#include "http/response_queue.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rockllama::http {
namespace {

struct Counts {
  int wakes = 0;
  int closed = 0;
  int drained = 0;
};

class ResponseQueueTest : public testing::Test {
 protected:
  std::shared_ptr<ResponseQueue> make(Framing framing = {}, uint64_t limit = 100) {
    auto queue = std::make_shared<ResponseQueue>(
        std::move(framing), limit, ResponseQueue::Outlet{.wake = [this] { ++counts_.wakes; }, .send_now = {}});
    queue->watch([this] { ++counts_.closed; }, [this] { ++counts_.drained; });
    return queue;
  }
  std::string send(ResponseQueue& queue) {
    auto piece = queue.take();
    queue.sent(piece.bytes.size());
    return piece.bytes;
  }
  // A queue with a socket that takes `room_` bytes at once, into `socket_`.
  std::shared_ptr<ResponseQueue> make_with_socket() {
    const auto send_now = [this](std::string_view bytes) {
      const size_t count = std::min(room_, bytes.size());
      socket_ += bytes.substr(0, count);
      room_ -= count;
      return count;
    };
    return std::make_shared<ResponseQueue>(
        Framing{.chunked = false}, 100,
        ResponseQueue::Outlet{.wake = [this] { ++counts_.wakes; }, .send_now = send_now});
  }
  Counts counts_;
  size_t room_ = 1000;
  std::string socket_;
};

TEST_F(ResponseQueueTest, SendsAWholeResponseInOrder) {
  auto queue = make();
  queue->respond({200, "a"}, "body");
  EXPECT_EQ(counts_.wakes, 1);
  EXPECT_EQ(send(*queue), "HTTP/1.1 200 OK\r\nContent-Type: a\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_TRUE(queue->take().complete);
  queue->completed();
  queue->client_left();
  EXPECT_EQ(counts_.closed, 0);
}

TEST_F(ResponseQueueTest, StreamsChunksAndWakesOncePerTake) {
  auto queue = make();
  queue->begin({});
  queue->write("one");
  queue->write("");
  queue->write("two");
  EXPECT_EQ(counts_.wakes, 1);
  EXPECT_TRUE(send(*queue).ends_with("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n"));
  EXPECT_EQ(counts_.drained, 1);
  EXPECT_FALSE(queue->take().complete);
  queue->finish();
  EXPECT_EQ(counts_.wakes, 2);
  EXPECT_EQ(send(*queue), "0\r\n\r\n");
  EXPECT_TRUE(queue->take().complete);
}

TEST_F(ResponseQueueTest, StreamsPlainBytesWhereTheLengthIsKnown) {
  auto queue = make();
  queue->begin({.length = 6});
  queue->write("one");
  queue->write("two");
  queue->finish();
  EXPECT_EQ(send(*queue), "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 6\r\n\r\nonetwo");
  EXPECT_TRUE(queue->take().complete);
}

TEST_F(ResponseQueueTest, DrainsOnlyWhenEverythingWasTaken) {
  auto queue = make({.chunked = false});
  queue->begin({});
  send(*queue);
  counts_.drained = 0;
  queue->write("abc");
  EXPECT_EQ(queue->pending_bytes(), 3u);
  EXPECT_EQ(queue->take().bytes, "abc");
  queue->sent(2);
  EXPECT_EQ(counts_.drained, 0);
  queue->sent(1);
  EXPECT_EQ(counts_.drained, 1);
}

TEST_F(ResponseQueueTest, CutsOffAStreamOverItsLimit) {
  auto queue = make({.chunked = false}, 10);
  queue->begin({});
  send(*queue);
  queue->write(std::string(10, 'x'));
  EXPECT_FALSE(queue->take().broken);
  EXPECT_FALSE(queue->overflowed());
  queue->write("y");
  EXPECT_TRUE(queue->take().broken);
  EXPECT_TRUE(queue->overflowed());
}

TEST_F(ResponseQueueTest, WakesAgainForAStreamOverItsLimit) {
  auto queue = make({.chunked = false}, 200);
  queue->begin({});
  queue->write("x");
  EXPECT_EQ(counts_.wakes, 1);
  queue->write(std::string(200, 'x'));
  EXPECT_EQ(counts_.wakes, 2);
}

TEST_F(ResponseQueueTest, SendsAtOnceAndWakesNobodyUntilTheEnd) {
  auto queue = make_with_socket();
  queue->begin({});
  socket_.clear();
  queue->write("one");
  queue->write("two");
  EXPECT_EQ(socket_, "onetwo");
  EXPECT_EQ(queue->pending_bytes(), 0u);
  EXPECT_EQ(counts_.wakes, 0);
  queue->finish();
  EXPECT_EQ(counts_.wakes, 1);
  EXPECT_TRUE(queue->take().complete);
}

TEST_F(ResponseQueueTest, KeepsTheOrderWhereTheSocketTakesNotAll) {
  auto queue = make_with_socket();
  queue->begin({});
  socket_.clear();
  room_ = 2;
  queue->write("one");
  EXPECT_EQ(counts_.wakes, 1);
  room_ = 100;
  queue->write("two");
  const std::string rest = queue->take().bytes;
  queue->write("three");
  EXPECT_EQ(socket_, "on");
  EXPECT_EQ(rest, "etwo");
  queue->sent(rest.size());
  EXPECT_EQ(send(*queue), "three");
  queue->write("four");
  EXPECT_EQ(socket_, "onfour");
}

TEST_F(ResponseQueueTest, LeavesASocketAloneThatIsAboutToBeClosed) {
  auto queue = make_with_socket();
  queue->begin({});
  socket_.clear();
  queue->stop_sending();
  queue->write("one");
  EXPECT_EQ(socket_, "");
  EXPECT_EQ(send(*queue), "one");
}

TEST_F(ResponseQueueTest, AnswersHeadWithoutABody) {
  auto queue = make({.head_only = true});
  queue->respond({}, "body");
  EXPECT_TRUE(send(*queue).ends_with("Content-Length: 4\r\n\r\n"));
  auto stream = make({.head_only = true});
  stream->begin({});
  stream->write("x");
  stream->finish();
  EXPECT_TRUE(send(*stream).ends_with("chunked\r\n\r\n"));
  EXPECT_TRUE(stream->take().complete);
}

TEST_F(ResponseQueueTest, TurnsADroppedWriterInto500OrABrokenStream) {
  auto queue = make();
  { const QueueWriter writer(queue, "oops"); }
  EXPECT_TRUE(send(*queue).starts_with("HTTP/1.1 500 "));
  auto stream = make();
  {
    QueueWriter writer(stream, "oops");
    writer.begin({});
    writer.write("x");
  }
  EXPECT_TRUE(send(*stream).ends_with("x\r\n"));
  EXPECT_TRUE(stream->take().broken);
}

TEST_F(ResponseQueueTest, TellsOnceThatTheClientLeft) {
  auto queue = make();
  queue->begin({});
  queue->client_left();
  queue->client_left();
  queue->write("x");
  EXPECT_EQ(counts_.closed, 1);
  EXPECT_EQ(queue->pending_bytes(), 0u);
  EXPECT_EQ(counts_.wakes, 1);
  queue->watch([this] { ++counts_.closed; }, {});
  EXPECT_EQ(counts_.closed, 2);
}

}  // namespace
}  // namespace rockllama::http
