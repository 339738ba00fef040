#include <gmock/gmock.h>

#include <algorithm>

#include "tests/support/service_fixture.h"

namespace rockllama::test {
namespace {

using ::testing::HasSubstr;

class SaveCrashTest : public ServiceFixture {
 protected:
  SaveCrashTest() { begin(); }

  CacheCreated make(bool retry_binary = false) {
    const auto created = create({.model = "m", .name = "c", .text = "You are terse.", .retry_binary = retry_binary});
    EXPECT_TRUE(created);
    return created.value_or(CacheCreated{});
  }
  long saves() {
    const std::lock_guard lock(said_mutex);
    return std::count(said->begin(), said->end(), "save chat");
  }
  std::string saving_problem() { return service->models().find("m")->saving_problem; }
};

TEST_F(SaveCrashTest, TheSecondIsRememberedAndNoMoreAreTried) {
  script->deaths_on_save = 2;
  EXPECT_TRUE(make().may_pass);
  const CacheCreated second = make();
  EXPECT_FALSE(second.binary);
  EXPECT_FALSE(second.may_pass);
  EXPECT_THAT(second.warning, HasSubstr("retry_binary"));
  EXPECT_THAT(saving_problem(), HasSubstr("it fell over"));
  const long saves_before = saves();
  EXPECT_FALSE(make().binary);
  EXPECT_EQ(saves(), saves_before);
  EXPECT_EQ(complete(chat("hi", {"c"})).cache.tier, CacheTier::kText);
}

TEST_F(SaveCrashTest, ARetryThatGoesWellForgetsThem) {
  script->deaths_on_save = 2;
  (void)make();
  (void)make();
  EXPECT_TRUE(make(/*retry_binary=*/true).binary);
  EXPECT_EQ(saving_problem(), "");
}

TEST_F(SaveCrashTest, AStateThatWasSavedBetweenTwoMakesTheSecondTheFirstAgain) {
  script->deaths_on_save = 1;
  (void)make();
  EXPECT_TRUE(make().binary);
  script->deaths_on_save = 1;
  EXPECT_TRUE(create({.model = "m", .name = "d", .text = "You are long."})->may_pass);
  EXPECT_EQ(saving_problem(), "");
}

}  // namespace
}  // namespace rockllama::test
