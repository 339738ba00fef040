#include "service/building_states.h"

#include <gmock/gmock.h>

#include "tests/support/service_fixture.h"

namespace rockllama::test {
namespace {

const BuildingStates::Build kBuild{.model = "m", .name = "c", .engine = "llama.cpp", .began_at = 5};

CacheInfo cache_with(std::vector<StateInfo> states) {
  return {.cache_name = "c", .model_name = "m", .binary = std::move(states)};
}

TEST(BuildingStates, AreListedUntilTheyAreMade) {
  BuildingStates building;
  building.begin(kBuild);
  CacheInfo info = cache_with({});
  building.add_to(&info);
  ASSERT_EQ(info.binary.size(), 1U);
  EXPECT_EQ(info.binary[0].status, StateStatus::kBuilding);
  EXPECT_EQ(info.binary[0].created_at, 5);
  building.end(kBuild);
  info = cache_with({});
  building.add_to(&info);
  EXPECT_TRUE(info.binary.empty());
}

TEST(BuildingStates, TakeThePlaceOfAStaleStateAndLeaveAReadyOne) {
  BuildingStates building;
  building.begin(kBuild);
  CacheInfo info = cache_with({{.engine = "llama.cpp", .status = StateStatus::kStale, .reason = "edited"},
                               {.engine = "rkllm", .status = StateStatus::kStale}});
  building.add_to(&info);
  EXPECT_EQ(info.binary[0].status, StateStatus::kBuilding);
  EXPECT_EQ(info.binary[1].status, StateStatus::kStale);
  info = cache_with({{.engine = "llama.cpp", .status = StateStatus::kReady}});
  building.add_to(&info);
  EXPECT_EQ(info.binary[0].status, StateStatus::kReady);
}

class BuildingStatesOfCaches : public ServiceFixture {};

TEST_F(BuildingStatesOfCaches, AreShownWhileTheWorkerMakesThem) {
  script->hold_saves = true;
  begin();
  ASSERT_TRUE(store->commit("m", "c", "text", {}, {}));
  service->caches().generate_binary("m", "c", std::nullopt, {}, [](const Result<CacheCreated>&) {});
  ASSERT_TRUE(wait_until([this] { return script->held_save != 0; }));
  const auto content = service->caches().get("m", "c");
  ASSERT_TRUE(content && content->info.binary.size() == 1);
  EXPECT_EQ(content->info.binary[0].status, StateStatus::kBuilding);
  EXPECT_EQ(service->caches().list("m")->front().binary.size(), 1U);
  EXPECT_EQ(service->caches().list_all()->at("m").front().binary.size(), 1U);
}

}  // namespace
}  // namespace rockllama::test
