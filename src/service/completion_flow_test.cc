#include "service/completion_flow.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <sstream>
#include <thread>

#include "tests/support/service_fixture.h"

namespace rockllama::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kWaitLimitS = 1;
const std::chrono::milliseconds kLongerThanTheLimit(1500);

struct Outcome {
  std::mutex mutex;
  std::vector<CompletionEvent> events;

  CompletionSink sink() {
    return [this](const CompletionEvent& event) {
      const std::lock_guard lock(mutex);
      events.push_back(event);
    };
  }
  bool ended() {
    const std::lock_guard lock(mutex);
    return !events.empty() &&
           (std::holds_alternative<CompletionDone>(events.back()) || std::holds_alternative<Error>(events.back()));
  }
  std::optional<ErrorCode> error() {
    const std::lock_guard lock(mutex);
    const auto* error = events.empty() ? nullptr : std::get_if<Error>(&events.back());
    return error == nullptr ? std::nullopt : std::optional(error->code);
  }
};

// A worker that prepares by itself; the test says the rest.
class PreparingWorker : public ModelWorker {
 public:
  explicit PreparingWorker(WorkerSink sink) : sink_(std::move(sink)) {}
  void prepare(const protocol::Prepare& command) override {
    say(protocol::Prepared{.id = command.id, .prompt_tokens = 10});
  }
  void cancel(RequestId) override {}
  void add_credit(RequestId, uint32_t) override {}
  void lend(const protocol::Lend&, UniqueFd) override {}
  void save_state(const protocol::SaveState&, UniqueFd) override {}
  void start(const protocol::Start& command, UniqueFd) override { last_started = command.id; }
  void ask(const protocol::Ask&) override {}
  void know_states(const protocol::KnownStates&) override {}
  void keep(const protocol::Keep&, UniqueFd) override {}
  WorkerLog log() override { return {}; }
  void stop() override { thread_.stop(); }
  void say(const WorkerEvent& event) {
    thread_.post([this, event] { sink_(event); });
  }

  std::atomic<RequestId> last_started = 0;

 private:
  WorkerSink sink_;
  Executor thread_{1};
};

class CompletionFlowTest : public ServiceFixture {
 protected:
  ~CompletionFlowTest() override {
    if (service) service->stop();
  }
  // Like begin(), with a worker that the test speaks for.
  void begin_told() {
    options.load_timeout_s = kWaitLimitS;
    registry =
        std::make_unique<ModelRegistry>(files.get(), folder + "/models", folder + "/memo.json", ModelSpec{}, false);
    store = CacheStore::open(files.get(), folder + "/cache").value();
    executor = std::make_unique<Executor>(2);
    service =
        std::make_unique<Service>(options, registry.get(), store.get(), executor.get(),
                                  [this](const ModelSpec&, uint64_t, WorkerSink sink) -> std::unique_ptr<ModelWorker> {
                                    auto made = std::make_unique<PreparingWorker>(std::move(sink));
                                    worker = made.get();
                                    ready();
                                    return made;
                                  });
  }
  void ready() { worker.load()->say(WorkerReady{{.capabilities = {.max_parallel = 4}, .context_tokens = 100}}); }
  void crash() { worker.load()->say(WorkerLost{.reason = "it fell over"}); }
  // The id of the request that is started after `before`.
  RequestId next_start(RequestId before) {
    wait_until([&] { return worker.load() != nullptr && worker.load()->last_started > before; });
    return worker.load()->last_started;
  }
  void answer(RequestId id) {
    worker.load()->say(protocol::Finished{id, FinishReason::kStop, {.prompt_tokens = 10, .completion_tokens = 1}});
  }
  auto run(CompletionRequest request, Outcome* outcome) {
    return service->completions().run(std::move(request), 100, outcome->sink());
  }

  Outcome first;
  Outcome second;
  std::atomic<PreparingWorker*> worker = nullptr;
};

TEST_F(CompletionFlowTest, RunsABufferedRequestAgainThoughItHadText) {
  begin_told();
  CompletionRequest request = chat("hi");
  request.buffered = true;
  run(request, &first);
  const RequestId id = next_start(0);
  worker.load()->say(protocol::Tokens{id, 1, {"hello"}});
  crash();
  worker.load()->last_started = 0;
  ready();
  EXPECT_EQ(next_start(0), id);
  answer(id);
  EXPECT_TRUE(wait_until([&] { return first.ended(); }));
  EXPECT_EQ(first.error(), std::nullopt);
}

TEST_F(CompletionFlowTest, GivesUpAPreparedRequestWhoseWorkerDoesNotComeBackInTime) {
  begin_told();
  run(chat("hi"), &first);
  (void)next_start(0);
  crash();
  EXPECT_TRUE(wait_until([&] { return first.ended(); }));
  EXPECT_EQ(first.error(), ErrorCode::kUnavailable);
}

TEST_F(CompletionFlowTest, WaitsWithoutLimitWhileAnotherRunsAloneInAReadyWorker) {
  begin_told();
  run(chat("hi"), &first);
  const RequestId alone = next_start(0);
  crash();
  worker.load()->last_started = 0;
  ready();
  EXPECT_EQ(next_start(0), alone);
  run(chat("me too"), &second);
  std::this_thread::sleep_for(kLongerThanTheLimit);
  EXPECT_FALSE(second.ended());
  answer(alone);
  answer(next_start(alone));
  EXPECT_TRUE(wait_until([&] { return first.ended() && second.ended(); }));
  EXPECT_EQ(second.error(), std::nullopt);
}

TEST_F(CompletionFlowTest, CancelAtAnyMomentLeavesNothingInTheScheduler) {
  begin();
  (void)complete(chat("hi"));
  Outcome outcome;
  for (int i = 0; i < 300; ++i) {
    const auto handle = run(chat("hi"), &outcome);
    std::this_thread::sleep_for(std::chrono::microseconds(i % 100));
    handle.cancel();
  }
  // What is run again goes in alone: it would wait for ever for a request that was left behind.
  script->deaths_on_start = 1;
  EXPECT_EQ(complete(chat("hi")).usage.completion_tokens, 1u);
}

TEST_F(CompletionFlowTest, CountsTheUseOfACacheAfterTheAnswer) {
  begin();
  ASSERT_TRUE(create({.model = "m", .name = "c", .text = "You are helpful."}));
  std::atomic<int> hits_at_the_end = -1;
  service->completions().run(chat("hi", {"c"}), 100, [&](const CompletionEvent& event) {
    if (!std::holds_alternative<CompletionDone>(event)) return;
    hits_at_the_end = static_cast<int>(store->find("m", "c", "")->hits);
  });
  EXPECT_TRUE(wait_until([&] { return store->find("m", "c", "")->hits == 1 && hits_at_the_end >= 0; }));
  EXPECT_EQ(hits_at_the_end, 0);
}

TEST_F(CompletionFlowTest, WritesOneLineOfTheLogWhateverACacheIsCalled) {
  begin();
  std::ostringstream log;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  (void)complete(chat("hi", {"no\nsuch\x1b[31m"}));
  spdlog::set_default_logger(before);
  EXPECT_THAT(log.str(), HasSubstr("no?such?[31m"));
  EXPECT_THAT(log.str(), Not(HasSubstr("\x1b")));
}

TEST_F(CompletionFlowTest, TakesWhatWasReusedFromTheEndWhereTheStartCouldNotSay) {
  script->tells_use_at_end = true;
  begin();
  ASSERT_TRUE(create({.model = "m", .name = "c", .text = "You are helpful."}));
  std::atomic<bool> provisional = false;
  service->completions().run(chat("hi", {"c"}), 100, [&](const CompletionEvent& event) {
    if (const auto* started = std::get_if<CompletionStarted>(&event)) provisional = started->cache.provisional;
  });
  const CompletionDone done = complete(chat("hi", {"c"}));
  EXPECT_TRUE(wait_until([&] { return provisional.load(); }));
  EXPECT_TRUE(reused(done.cache));
  EXPECT_EQ(done.cache.tokens, 7u);
  EXPECT_FALSE(done.cache.provisional);
}

TEST_F(CompletionFlowTest, NamesTheWishesThatTheRuntimeCannotHonour) {
  script->ignored_sampling = {"temperature", "seed"};
  begin();
  EXPECT_TRUE(complete(chat("hi")).warnings.empty());
  CompletionRequest request = chat("hi");
  request.options.sampling = {.temperature = 0.3F, .top_k = 5, .seed = 1};
  const CompletionDone done = complete(request);
  ASSERT_EQ(done.warnings.size(), 1u);
  EXPECT_THAT(done.warnings.front(), HasSubstr("without effect: temperature, seed"));
  EXPECT_TRUE(done.cache.reason.empty());
}

}  // namespace
}  // namespace rockllama::test
