#include "api/startup_json.h"

#include <gtest/gtest.h>

namespace rockllama::api {
namespace {

TEST(StartupJson, SaysThatNothingIsToBeMade) {
  EXPECT_EQ(to_text(startup_json({})), R"({"done":0,"total":0,"failed":[],"current":null})");
}

TEST(StartupJson, ShowsTheSpeedAndTheTimeLeftOnceTheyAreKnown) {
  StartupProgress progress{.done = 1, .total = 3, .failed = {{"m", "a", "disk full"}}};
  progress.current = {.model = "m", .name = "b"};
  EXPECT_EQ(to_text(startup_json(progress)),
            R"({"done":1,"total":3,"failed":[{"model":"m","name":"a","reason":"disk full"}],"current":{"model":"m",)"
            R"("name":"b","done_tokens":0,"total_tokens":0,"tokens_per_second":0.0,"eta_s":null}})");
  progress.current->done_tokens = 100;
  progress.current->total_tokens = 400;
  progress.current->tokens_per_second = 40.04;
  EXPECT_EQ(startup_json(progress)["current"]["eta_s"], 7.5);
  EXPECT_EQ(startup_json(progress)["current"]["tokens_per_second"], 40.0);
}

}  // namespace
}  // namespace rockllama::api
