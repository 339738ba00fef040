#include "protocol/frame_channel.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>

#include "protocol/messages.h"

namespace rockllama::protocol {
namespace {

struct Ends {
  FrameChannel left;
  FrameChannel right;
};

Ends connected() {
  auto pair = make_socket_pair();
  return {FrameChannel(std::move(pair->first)), FrameChannel(std::move(pair->second))};
}

struct RawEnd {
  UniqueFd raw;
  FrameChannel channel;
};

RawEnd raw_end() {
  auto pair = make_socket_pair();
  return {std::move(pair->first), FrameChannel(std::move(pair->second))};
}

void write_raw(const UniqueFd& fd, std::string_view bytes) {
  ASSERT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

TEST(FrameChannel, DeliversFramesInOrder) {
  Ends ends = connected();
  ASSERT_TRUE(ends.left.send("one"));
  ASSERT_TRUE(ends.left.send(""));
  ASSERT_TRUE(ends.left.send("three"));
  EXPECT_EQ(ends.right.receive().value()->bytes, "one");
  EXPECT_EQ(ends.right.receive().value()->bytes, "");
  EXPECT_EQ(ends.right.receive().value()->bytes, "three");
}

TEST(FrameChannel, DeliversAFrameLargerThanTheSocketBuffer) {
  Ends ends = connected();
  const std::string large(5 << 20, 'x');
  std::thread sender([&] { EXPECT_TRUE(ends.left.send(large)); });
  EXPECT_EQ(ends.right.receive().value()->bytes, large);
  sender.join();
}

TEST(FrameChannel, CarriesADescriptorWithItsOwnFrame) {
  Ends ends = connected();
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(::pipe(pipe_ends.data()), 0);
  const UniqueFd read_end(pipe_ends[0]);
  UniqueFd write_end(pipe_ends[1]);
  ASSERT_TRUE(ends.left.send("before"));
  ASSERT_TRUE(ends.left.send("with", write_end.get()));
  ASSERT_TRUE(ends.left.send("after"));
  write_end.reset();

  EXPECT_FALSE(ends.right.receive().value()->fd.valid());
  Frame with = std::move(*ends.right.receive().value());
  EXPECT_FALSE(ends.right.receive().value()->fd.valid());
  ASSERT_TRUE(with.fd.valid());
  EXPECT_NE(::fcntl(with.fd.get(), F_GETFD) & FD_CLOEXEC, 0);
  write_raw(with.fd, "!");
  char byte = 0;
  EXPECT_EQ(::read(read_end.get(), &byte, 1), 1);
}

TEST(FrameChannel, FindsTheFramesOfDescriptorsAmongManyThatWereReadAtOnce) {
  Ends ends = connected();
  const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  // Of all sizes, so that reads end everywhere in a frame, its header included.
  const auto bytes_of = [](size_t i) { return std::string(i * 37 % 6001, static_cast<char>('a' + i % 26)); };
  std::thread sender([&] {
    for (size_t i = 0; i < 2000; ++i) EXPECT_TRUE(ends.left.send(bytes_of(i), i % 3 == 0 ? null.get() : -1));
  });
  for (size_t i = 0; i < 2000; ++i) {
    const auto frame = ends.right.receive();
    EXPECT_EQ(frame.value()->bytes, bytes_of(i)) << i;
    EXPECT_EQ(frame.value()->fd.valid(), i % 3 == 0) << i;
  }
  sender.join();
}

TEST(FrameChannel, AnswersNothingAtTheEndOfTheStream) {
  RawEnd ends = raw_end();
  ends.raw.reset();
  const auto frame = ends.channel.receive();
  ASSERT_TRUE(frame);
  EXPECT_FALSE(frame->has_value());
}

TEST(FrameChannel, FindsAStreamThatEndsInsideAFrame) {
  for (const std::string_view part : {std::string_view("\x05\0", 2), std::string_view("\x05\0\0\0ab", 6)}) {
    RawEnd ends = raw_end();
    write_raw(ends.raw, part);
    ends.raw.reset();
    const auto frame = ends.channel.receive();
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().code, ErrorCode::kCorrupt);
  }
}

TEST(FrameChannel, RefusesAFrameOverTheLimit) {
  RawEnd ends = raw_end();
  write_raw(ends.raw, "\xff\xff\xff\xff");
  const auto frame = ends.channel.receive();
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, ErrorCode::kCorrupt);
}

TEST(FrameChannel, RefusesToSendAFrameOverTheLimit) {
  Ends ends = connected();
  const auto sent = ends.left.send(std::string(kMaxFrameBytes + 1u, 'x'));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kTooLarge);
}

TEST(FrameChannel, FailsToSendWhenTheOtherEndIsGone) {
  RawEnd ends = raw_end();
  ends.raw.reset();
  const auto sent = ends.channel.send("x");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kIo);
}

TEST(FrameChannel, WakesAReaderWhenClosed) {
  RawEnd ends = raw_end();
  std::thread closer([&] { ends.channel.close(); });
  const auto frame = ends.channel.receive();
  closer.join();
  ASSERT_TRUE(frame);
  EXPECT_FALSE(frame->has_value());
}

TEST(FrameWriter, SendsWhatIsPostedInOrder) {
  Ends ends = connected();
  FrameWriter writer(&ends.left, 1 << 20);
  EXPECT_TRUE(writer.post("one"));
  EXPECT_TRUE(writer.post("two", UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC))));
  EXPECT_EQ(ends.right.receive().value()->bytes, "one");
  EXPECT_TRUE(ends.right.receive().value()->fd.valid());
}

TEST(FrameWriter, ClosesTheChannelWhenTheOtherEndDoesNotRead) {
  RawEnd ends = raw_end();
  FrameWriter writer(&ends.channel, 4 << 20);
  const std::string large(1 << 20, 'x');
  int posted = 0;
  while (writer.post(large)) ASSERT_LT(++posted, 100);
  EXPECT_GE(posted, 4);
  EXPECT_FALSE(writer.post("x"));
  const auto frame = ends.channel.receive();
  EXPECT_TRUE(!frame || !frame->has_value());
}

TEST(FrameWriter, SaysWhetherAFrameHasRoomAndLetsAClosedChannelRefuseByItself) {
  RawEnd ends = raw_end();
  FrameWriter writer(&ends.channel, 1000);
  EXPECT_TRUE(writer.has_room(1000));
  EXPECT_FALSE(writer.has_room(1001));
  EXPECT_FALSE(writer.post(std::string(1001, 'x')));
  EXPECT_TRUE(writer.has_room(1001));
}

}  // namespace
}  // namespace rockllama::protocol
