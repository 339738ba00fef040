#include "scheduler/scheduler.h"

#include <gmock/gmock.h>

#include "tests/support/fake_model_worker.h"

namespace rockllama {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SchedulerTest : public ::testing::Test {
 protected:
  SchedulerTest() {
    scheduler.set_worker(&worker);
    ready();
  }
  void ready() { scheduler.handle(WorkerReady{.model = {.capabilities = {.max_parallel = 2}}}); }
  void crash() { scheduler.handle(WorkerLost{.reason = "signal 11"}); }
  JobSink record(std::vector<JobEvent>* events) {
    return [events](const JobEvent& event) { events->push_back(event); };
  }
  // Submits a request that answers Prepared by itself.
  void submit(RequestId id, std::vector<JobEvent>* events, bool buffered = false) {
    const auto sink = [this, id, events](const JobEvent& event) {
      events->push_back(event);
      if (std::holds_alternative<protocol::Prepared>(event)) scheduler.start(id, UniqueFd(), 8);
    };
    scheduler.submit({.id = id, .prompt = TextPrompt{"x"}}, sink, {.buffered = buffered});
    scheduler.handle(protocol::Prepared{.id = id});
  }

  test::FakeModelWorker worker;
  Scheduler scheduler{1};
};

TEST_F(SchedulerTest, CarriesARequestFromPrepareToItsEnd) {
  std::vector<JobEvent> events;
  submit(1, &events);
  ASSERT_THAT(worker.sent().starts, SizeIs(1));
  EXPECT_EQ(worker.sent().starts[0].command.credit, 8u);
  scheduler.handle(protocol::Tokens{.id = 1, .count = 1, .piece = {"hi"}});
  scheduler.handle(protocol::Finished{.id = 1});
  scheduler.handle(protocol::Tokens{.id = 1, .count = 1, .piece = {"too late"}});
  EXPECT_THAT(events, SizeIs(3));
  EXPECT_EQ(scheduler.active(), 0u);
}

TEST_F(SchedulerTest, AsksAtOnceAndAgainAloneAfterACrash) {
  std::vector<JobEvent> generation;
  std::vector<JobEvent> question;
  submit(1, &generation);
  scheduler.ask({.id = 2, .question = EmbeddingsQuestion{{"a"}}}, record(&question), "");
  ASSERT_THAT(worker.sent().questions, SizeIs(1));
  crash();
  ready();
  // The generation was there first, and goes alone.
  EXPECT_THAT(worker.sent().questions, SizeIs(1));
  scheduler.handle(protocol::Prepared{.id = 1});
  scheduler.handle(protocol::Finished{.id = 1});
  ASSERT_THAT(worker.sent().questions, SizeIs(2));
  scheduler.handle(protocol::Answered{2, Embeddings{{{1}}, 1}});
  ASSERT_THAT(question, SizeIs(1));
  EXPECT_EQ(std::get<protocol::Answered>(question.front()).id, 2u);
  EXPECT_EQ(scheduler.active(), 0u);
}

TEST_F(SchedulerTest, CancelTellsTheWorkerAndEndsTheRequestOnce) {
  std::vector<JobEvent> events;
  submit(1, &events);
  scheduler.cancel(1);
  scheduler.handle(protocol::Failed{.id = 1, .code = ErrorCode::kCancelled});
  EXPECT_THAT(worker.sent().cancels, ElementsAre(1));
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(std::get<Error>(events[1]).code, ErrorCode::kCancelled);
}

TEST_F(SchedulerTest, RunsAgainWhatHadNotBegunWhenTheWorkerWasLost) {
  std::vector<JobEvent> begun;
  std::vector<JobEvent> waiting;
  submit(1, &begun);
  submit(2, &waiting);
  scheduler.handle(protocol::Tokens{.id = 1, .count = 1, .piece = {"hi"}});
  crash();
  EXPECT_EQ(std::get<Error>(begun.back()).code, ErrorCode::kInternal);
  EXPECT_THAT(waiting, SizeIs(1));
  ready();
  EXPECT_EQ(worker.sent().prepares.back().id, 2u);
  scheduler.handle(protocol::Prepared{.id = 2});
  scheduler.handle(protocol::Finished{.id = 2});
  EXPECT_TRUE(std::holds_alternative<protocol::Finished>(waiting.back()));
}

TEST_F(SchedulerTest, HeldBackTextDoesNotCountAsBegun) {
  std::vector<JobEvent> events;
  submit(1, &events);
  scheduler.handle(protocol::Tokens{.id = 1, .count = 1, .piece = {""}});
  crash();
  ready();
  EXPECT_THAT(worker.sent().prepares, SizeIs(2));
}

TEST_F(SchedulerTest, RunsABufferedRequestAgainThoughItHadText) {
  std::vector<JobEvent> events;
  submit(1, &events, /*buffered=*/true);
  scheduler.handle(protocol::Tokens{.id = 1, .count = 1, .piece = {"hi"}});
  crash();
  ready();
  ASSERT_THAT(worker.sent().prepares, SizeIs(2));
  scheduler.handle(protocol::Prepared{.id = 1});
  scheduler.handle(protocol::Finished{.id = 1});
  EXPECT_TRUE(std::holds_alternative<protocol::Finished>(events.back()));
}

TEST_F(SchedulerTest, KnowsSinceWhenNoWorkerIsReady) {
  EXPECT_FALSE(scheduler.not_ready_since_ms());
  crash();
  const auto since = scheduler.not_ready_since_ms();
  ASSERT_TRUE(since);
  crash();
  EXPECT_EQ(scheduler.not_ready_since_ms(), since);
  ready();
  EXPECT_FALSE(scheduler.not_ready_since_ms());
  EXPECT_TRUE(Scheduler(1).not_ready_since_ms());
}

TEST_F(SchedulerTest, ARequestThatKillsTwiceFails) {
  std::vector<JobEvent> events;
  submit(1, &events);
  crash();
  ready();
  crash();
  EXPECT_EQ(std::get<Error>(events.back()).code, ErrorCode::kInternal);
  EXPECT_EQ(scheduler.active(), 0u);
}

TEST_F(SchedulerTest, StateSavesFailWithTheWorker) {
  std::vector<JobEvent> events;
  scheduler.save_state({.id = 1, .line = {{.text = "x"}}}, UniqueFd(), record(&events));
  EXPECT_THAT(worker.sent().saves, SizeIs(1));
  crash();
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_TRUE(std::get<SaveLost>(events[0]).alone);
}

TEST_F(SchedulerTest, CloseEndsAllAndRefusesMore) {
  std::vector<JobEvent> events;
  submit(1, &events);
  scheduler.close({ErrorCode::kCancelled, "bye"});
  scheduler.submit({.id = 2, .prompt = TextPrompt{"x"}}, record(&events));
  ASSERT_THAT(events, SizeIs(3));
  EXPECT_EQ(std::get<Error>(events[1]).code, ErrorCode::kCancelled);
  EXPECT_EQ(std::get<Error>(events[2]).code, ErrorCode::kUnavailable);
}

TEST_F(SchedulerTest, StartsNoMoreThanTheModelTakesAtOnce) {
  std::vector<JobEvent> events;
  for (const RequestId id : {1, 2, 3}) submit(id, &events);
  EXPECT_THAT(worker.sent().starts, SizeIs(2));
  scheduler.handle(protocol::Finished{.id = 1});
  EXPECT_THAT(worker.sent().starts, SizeIs(3));
}

}  // namespace
}  // namespace rockllama
