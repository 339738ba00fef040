#include "cli/event_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace rockllama {
namespace {

using testing::ElementsAre;

TEST(EventReader, GivesTheDataOfEachEventHoweverItIsCut) {
  const std::string stream = ": heartbeat\n\ndata: {\"a\":1}\r\n\r\ndata: {\"b\":2}\n\ndata: [DONE]\n\n";
  for (size_t size = 1; size <= stream.size(); ++size) {
    std::vector<std::string> events;
    EventReader reader([&](const std::string& data) { events.push_back(data); });
    for (size_t place = 0; place < stream.size(); place += size) ASSERT_TRUE(reader.take(stream.substr(place, size)));
    EXPECT_THAT(events, ElementsAre("{\"a\":1}", "{\"b\":2}"));
    EXPECT_EQ(reader.rest(), "");
  }
}

TEST(EventReader, KeepsAPlainAnswer) {
  EventReader reader([](const std::string&) { ADD_FAILURE(); });
  ASSERT_TRUE(reader.take("{\"object\":"));
  ASSERT_TRUE(reader.take("1}"));
  EXPECT_EQ(reader.rest(), "{\"object\":1}");
}

TEST(EventReader, TakesNoEndlessLine) {
  EventReader reader([](const std::string&) {});
  const std::string piece(size_t{1} << 20, 'x');
  int taken = 0;
  while (taken < 100 && reader.take(piece)) ++taken;
  EXPECT_LT(taken, 20);
}

}  // namespace
}  // namespace rockllama
