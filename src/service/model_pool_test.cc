#include "service/model_pool.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>

#include "tests/support/service_fixture.h"

namespace rockllama::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A pool of its own beside the service's, for what the services do not show.
class ModelPoolTest : public ServiceFixture {
 protected:
  ~ModelPoolTest() override {
    // What a worker's end posts still runs while the pools live.
    if (pool) pool->stop();
    service->stop();
    executor->stop();
  }
  void begin_pool() {
    begin();
    context.options = options;
    context.registry = registry.get();
    context.store = store.get();
    context.executor = executor.get();
    context.make_worker = worker_factory();
    pool = std::make_unique<ModelPool>(&context, no_warm_up);
  }
  std::shared_ptr<std::promise<Result<ModelLease>>> acquire(const std::string& model,
                                                            ModelPool::Abandoned abandoned = {}) {
    auto answer = std::make_shared<std::promise<Result<ModelLease>>>();
    pool->acquire(
        *registry->find(model), [answer](Result<ModelLease> lease) { answer->set_value(std::move(lease)); },
        std::move(abandoned));
    return answer;
  }
  Result<ModelLease> acquired(const std::string& model, ModelPool::Abandoned abandoned = {}) {
    return acquire(model, std::move(abandoned))->get_future().get();
  }
  // What was posted before, and what that posted, and so on a few times over, has run.
  void let_the_executor_run() {
    for (int i = 0; i < 5; ++i) {
      std::promise<void> ran;
      executor->post([&] { ran.set_value(); });
      ran.get_future().get();
    }
  }
  void replace_weights(const std::string& model) {
    const std::string path = folder + "/models/" + model + "/model.gguf";
    std::ofstream(path + ".new") << "other weights";
    std::filesystem::rename(path + ".new", path);
  }
  long times_said(const std::string& what) {
    const std::lock_guard lock(said_mutex);
    return std::count(said->begin(), said->end(), what);
  }
  static void no_warm_up(const std::shared_ptr<ModelHost>&, const std::function<void()>& done) { done(); }

  ServiceContext context;
  std::unique_ptr<ModelPool> pool;
};

TEST_F(ModelPoolTest, ASecondUnloadWaitsForTheFirst) {
  begin_pool();
  ASSERT_TRUE(acquired("m"));
  std::promise<void> gate;
  script->in_stop = [opened = gate.get_future().share()] { opened.wait(); };
  std::atomic<int> unloaded = 0;
  pool->unload("m", [&](const Status&) { ++unloaded; });
  ASSERT_TRUE(wait_until([this] { return times_said("stop m") == 1; }));
  pool->unload("m", [&](const Status&) { ++unloaded; });
  let_the_executor_run();
  EXPECT_EQ(unloaded, 0);
  gate.set_value();
  EXPECT_TRUE(wait_until([&] { return unloaded == 2; }));
  EXPECT_TRUE(acquired("m"));
  EXPECT_EQ(times_said("stop m"), 1);
}

TEST_F(ModelPoolTest, AHostMayBeLetGoOnItsWorkersThread) {
  begin_pool();
  script->load_fails = true;
  auto host = ModelHost::make(&context, *registry->find("m"));
  std::promise<void> told;
  std::promise<void> let_go;
  host->when_ready([&](const Status&) {
    told.set_value();
    let_go.get_future().wait();
  });
  auto part_of_host = std::make_shared<int>();
  const std::weak_ptr<int> watch = part_of_host;
  host->begin([part_of_host = std::move(part_of_host)](const auto&, const auto&) {});
  told.get_future().wait();
  host.reset();
  let_go.set_value();
  EXPECT_TRUE(wait_until([&] { return watch.expired(); }));
}

TEST_F(ModelPoolTest, AModelThatCrashedAgainAndAgainIsLeftAloneUntilSomebodyAsksForIt) {
  begin();
  script->crashes_for_good = 1;
  script->log = {"loading", "E rkllm: no memory"};
  EXPECT_THAT(fail_to_complete(chat("hi")).message, HasSubstr("it fell over"));
  ASSERT_TRUE(
      wait_until([&] { return service->models().find("m")->failure.find("it fell over") != std::string::npos; }));
  EXPECT_THAT(service->models().find("m")->log.lines, ElementsAre("loading", "E rkllm: no memory"));
  EXPECT_THAT(fail_to_complete(chat("hi")).message, HasSubstr("it fell over"));
  EXPECT_EQ(times_said("load m"), 1);
  std::promise<bool> loaded;
  service->models().load("m", [&](const Status& status) { loaded.set_value(status.has_value()); });
  EXPECT_TRUE(loaded.get_future().get());
  EXPECT_EQ(complete(chat("hi")).model, "m");
  EXPECT_EQ(service->models().find("m")->failure, "");
}

TEST_F(ModelPoolTest, AModelThatCrashedAgainAndAgainIsTriedAnewOnceItsFileChanged) {
  begin();
  script->crashes_for_good = 1;
  EXPECT_THAT(fail_to_complete(chat("hi")).message, HasSubstr("it fell over"));
  replace_weights("m");
  EXPECT_EQ(complete(chat("hi")).model, "m");
}

TEST_F(ModelPoolTest, AModelIsLoadedAnewWhoseFileWasReplacedWhenItsWorkerStartsAgain) {
  begin();
  ASSERT_TRUE(create({.model = "m", .name = "c", .text = "You are a helpful assistant."}));
  EXPECT_EQ(complete(chat("hi", {"c"})).cache.tier, CacheTier::kDisk);
  replace_weights("m");
  script->deaths_on_start = 1;
  const Error error = fail_to_complete(chat("hi", {"c"}));
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("replaced"));
  EXPECT_EQ(complete(chat("hi", {"c"})).cache.tier, CacheTier::kText);
  EXPECT_EQ(times_said("load m"), 2);
}

TEST_F(ModelPoolTest, AModelIsLoadedAnewWhoseEngineChangedWhenItsWorkerStartsAgain) {
  begin_pool();
  const std::string before = acquired("m")->host()->fingerprint();
  tell("m", WorkerLost{.reason = "it fell over"});
  tell("m", WorkerReady{LoadedModel{.engine_fingerprint = "other"}});
  script->engine_fingerprint = "other";
  std::string after = before;
  EXPECT_TRUE(wait_until([&] {
    const auto lease = acquired("m");
    if (lease) after = lease->host()->fingerprint();
    return after != before;
  }));
  EXPECT_EQ(times_said("load m"), 2);
}

TEST_F(ModelPoolTest, TheSameWeightsServeOnWhenTheWorkerStartsAgain) {
  begin();
  (void)complete(chat("hi"));
  script->deaths_on_start = 1;
  (void)complete(chat("hi"));
  EXPECT_EQ(times_said("load m"), 1);
}

TEST_F(ModelPoolTest, RefusesAModelWhoseFileIsReplacedWhileItIsLoaded) {
  begin();
  script->in_load = [this] {
    if (times_said("load m") == 1) replace_weights("m");
  };
  EXPECT_EQ(fail_to_complete(chat("hi")).code, ErrorCode::kUnavailable);
  EXPECT_EQ(complete(chat("hi")).model, "m");
  EXPECT_EQ(times_said("load m"), 2);
}

TEST_F(ModelPoolTest, AModelThatFailedWhileIdleMakesRoom) {
  options.max_loaded = 1;
  options.load_timeout_s = 10;
  add_model("n");
  begin_pool();
  ASSERT_TRUE(acquired("m"));
  tell("m", WorkerLost{.kind = LossKind::kNoLoad, .reason = "it is gone", .final = true});
  EXPECT_TRUE(acquired("n"));
}

TEST_F(ModelPoolTest, AModelThatFailedWhileIdleIsUnloadedByItself) {
  begin_pool();
  ASSERT_TRUE(acquired("m"));
  tell("m", WorkerLost{.kind = LossKind::kNoLoad, .reason = "it is gone", .final = true});
  EXPECT_TRUE(wait_until([this] { return times_said("stop m") == 1; }));
  EXPECT_EQ(pool->failures().count("m"), 1u);
}

class FullModelPoolTest : public ModelPoolTest {
 protected:
  FullModelPoolTest() {
    options.max_loaded = 1;
    options.queue_limit = 1;
    add_model("n");
  }
};

TEST_F(FullModelPoolTest, RequestsThatWaitForRoomCount) {
  options.load_timeout_s = 10;
  begin_pool();
  auto busy = acquired("m");
  ASSERT_TRUE(busy);
  const auto waits = acquire("n");
  const auto refused = acquired("n");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kQueueFull);
  busy = ModelLease();
  EXPECT_TRUE(waits->get_future().get());
  EXPECT_TRUE(acquired("n"));
}

TEST_F(FullModelPoolTest, WhoLeftWaitsNoLongerForRoom) {
  options.load_timeout_s = 10;
  begin_pool();
  const auto busy = acquired("m");
  EXPECT_EQ(acquired("n", [] { return true; }).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(acquired("n", [] { return true; }).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(times_said("load n"), 0);
}

TEST_F(FullModelPoolTest, WhoLeftOrWaitedTooLongWaitsNoLongerForALoad) {
  options.load_timeout_s = 1;
  begin_pool();
  std::promise<void> gate;
  script->in_load = [opened = gate.get_future().share()] { opened.wait(); };
  EXPECT_EQ(acquired("m").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(acquired("m", [] { return true; }).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(acquired("m").error().code, ErrorCode::kUnavailable);
  gate.set_value();
}

}  // namespace
}  // namespace rockllama::test
