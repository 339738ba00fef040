#include "api/change_log.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <functional>
#include <sstream>

#include "tests/support/recording_writer.h"

namespace rockllama::api {
namespace {

using testing::HasSubstr;

class ChangeLog : public testing::Test {
 protected:
  [[nodiscard]] static std::string logged(const std::function<void(http::BodyWriter&)>& answer, http::BodyWriter* to) {
    const auto before = spdlog::default_logger();
    std::ostringstream log;
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
    const http::Request request{
        .method = "DELETE", .path = "/v1/cache/demo/a\nb", .remote_address = "::1", .id = "req-1"};
    const std::shared_ptr<http::BodyWriter> writer(to, [](http::BodyWriter*) {});
    answer(*with_log_line(request, writer));
    spdlog::set_default_logger(before);
    return log.str();
  }
};

TEST_F(ChangeLog, HasOneLineForAWholeResponse) {
  RecordingWriter writer;
  const std::string log = logged([](http::BodyWriter& logged) { logged.respond({.status = 409}, "why"); }, &writer);
  EXPECT_THAT(log, HasSubstr("request req-1 caller=::1 DELETE /v1/cache/demo/a?b total="));
  EXPECT_THAT(log, HasSubstr("status=409"));
  EXPECT_EQ(writer.head.status, 409);
  EXPECT_EQ(writer.bytes, "why");
}

TEST_F(ChangeLog, HasTheLineOfAStreamAtItsEnd) {
  RecordingWriter writer;
  const auto begin = [](http::BodyWriter& logged) {
    logged.begin({});
    logged.write("data");
  };
  EXPECT_EQ(logged(begin, &writer), "");
  EXPECT_EQ(writer.bytes, "data");
  const auto whole = [&](http::BodyWriter& logged) {
    begin(logged);
    logged.finish();
  };
  EXPECT_THAT(logged(whole, &writer), HasSubstr("status=200"));
  EXPECT_TRUE(writer.finished);
}

}  // namespace
}  // namespace rockllama::api
