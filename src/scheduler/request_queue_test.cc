#include "scheduler/request_queue.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Action = RequestQueue::Action;
using Verb = RequestQueue::Verb;
constexpr auto kGeneration = RequestQueue::Kind::kGeneration;
constexpr auto kSaveState = RequestQueue::Kind::kSaveState;

void start(RequestQueue& queue, RequestId id) {
  queue.prepared(id);
  queue.startable(id);
}

std::vector<RequestId> run_one_by_one(RequestQueue& queue) {
  std::vector<RequestId> started;
  for (auto actions = queue.next(); !actions.empty(); actions = queue.next()) {
    EXPECT_THAT(actions, testing::SizeIs(1));
    started.push_back(actions.front().id);
    queue.remove(actions.front().id);
  }
  return started;
}

TEST(RequestQueue, SendsNothingBeforeTheWorkerIsReady) {
  RequestQueue queue(1);
  queue.add(1, kGeneration);
  EXPECT_THAT(queue.next(), IsEmpty());
  queue.worker_ready();
  EXPECT_THAT(queue.next(), ElementsAre(Action{Verb::kPrepare, 1}));
  EXPECT_THAT(queue.next(), IsEmpty());
}

TEST(RequestQueue, PreparesAllAndStartsInOrderOfArrivalAsRoomAllows) {
  RequestQueue queue(1);
  queue.worker_ready();
  queue.add(1, kGeneration);
  queue.add(2, kGeneration);
  EXPECT_THAT(queue.next(), ElementsAre(Action{Verb::kPrepare, 1}, Action{Verb::kPrepare, 2}));
  start(queue, 1);
  start(queue, 2);
  EXPECT_THAT(queue.next(), ElementsAre(Action{Verb::kStart, 1}));
  queue.remove(1);
  EXPECT_THAT(queue.next(), ElementsAre(Action{Verb::kStart, 2}));
}

TEST(RequestQueue, StartsRequestsOfCallersInTurn) {
  RequestQueue queue(1);
  queue.worker_ready();
  for (const RequestId id : {1, 2, 3}) queue.add(id, kGeneration, {"many"});
  queue.add(4, kGeneration, {"few"});
  queue.add(5, kGeneration, {"few"});
  (void)queue.next();
  for (const RequestId id : {1, 2, 3, 4, 5}) start(queue, id);
  EXPECT_THAT(run_one_by_one(queue), ElementsAre(1, 4, 2, 5, 3));
}

TEST(RequestQueue, StartsACallersRequestsOfOnePrefixAfterEachOther) {
  RequestQueue queue(1);
  queue.worker_ready();
  queue.add(1, kGeneration, {"a", "x"});
  queue.add(2, kGeneration, {"a", "y"});
  queue.add(3, kGeneration, {"a"});
  queue.add(4, kGeneration, {"a", "x"});
  queue.add(5, kGeneration, {"b", "y"});
  (void)queue.next();
  for (const RequestId id : {1, 2, 3, 4, 5}) start(queue, id);
  EXPECT_THAT(run_one_by_one(queue), ElementsAre(1, 5, 4, 2, 3));
}

TEST(RequestQueue, LetsNoPrefixHoldUpTheOthersOfItsCaller) {
  RequestQueue queue(1);
  queue.worker_ready();
  queue.add(1, kGeneration, {"a", "x"});
  queue.add(2, kGeneration, {"a", "y"});
  for (RequestId id = 3; id <= 12; ++id) queue.add(id, kGeneration, {"a", "x"});
  (void)queue.next();
  for (RequestId id = 1; id <= 12; ++id) start(queue, id);
  EXPECT_THAT(run_one_by_one(queue), ElementsAre(1, 3, 4, 5, 6, 7, 8, 9, 2, 10, 11, 12));
}

TEST(RequestQueue, GivesRoomToTheCallerWithTheLeastInTheWorker) {
  RequestQueue queue(2);
  queue.worker_ready();
  for (const RequestId id : {1, 2, 3}) queue.add(id, kGeneration, {"many"});
  (void)queue.next();
  for (const RequestId id : {1, 2, 3}) start(queue, id);
  EXPECT_THAT(queue.next(), ElementsAre(Action{Verb::kStart, 1}, Action{Verb::kStart, 2}));
  queue.add(4, kGeneration, {"few"});
  (void)queue.next();
  start(queue, 4);
  queue.remove(1);
  EXPECT_THAT(queue.next(), ElementsAre(Action{Verb::kStart, 4}));
  queue.remove(2);
  EXPECT_THAT(queue.next(), ElementsAre(Action{Verb::kStart, 3}));
}

TEST(RequestQueue, StatesNeedNoRoom) {
  RequestQueue queue(1);
  queue.worker_ready();
  queue.add(1, kGeneration);
  (void)queue.next();
  start(queue, 1);
  (void)queue.next();
  queue.add(2, kSaveState);
  EXPECT_THAT(queue.next(), ElementsAre(Action{Verb::kSave, 2}));
}

TEST(RequestQueue, KnowsASaveThatWasAloneInTheWorker) {
  RequestQueue queue(1);
  queue.worker_ready();
  queue.add(1, kSaveState);
  (void)queue.next();
  const RequestQueue::Loss loss = queue.worker_lost();
  EXPECT_THAT(loss.saving, ElementsAre(1));
  EXPECT_TRUE(loss.one_alone);
  EXPECT_TRUE(queue.empty());
}

TEST(RequestQueue, AfterALossEndsWhatHadBegunAndRunsTheOthersAloneOneByOne) {
  RequestQueue queue(4);
  queue.worker_ready();
  for (const RequestId id : {1, 2, 3}) queue.add(id, kGeneration);
  queue.add(4, kSaveState);
  (void)queue.next();
  for (const RequestId id : {1, 2, 3}) start(queue, id);
  (void)queue.next();
  queue.begun(2);
  const RequestQueue::Loss loss = queue.worker_lost();
  EXPECT_THAT(loss.begun, ElementsAre(2));
  EXPECT_THAT(loss.saving, ElementsAre(4));
  EXPECT_FALSE(loss.one_alone);
  EXPECT_THAT(loss.exhausted, IsEmpty());
  EXPECT_THAT(loss.retried, ElementsAre(1, 3));
  queue.add(5, kGeneration);
  EXPECT_THAT(queue.next(), IsEmpty());
  queue.worker_ready();
  EXPECT_THAT(queue.next(), ElementsAre(Action{Verb::kPrepare, 1}));
  start(queue, 1);
  EXPECT_THAT(queue.next(), ElementsAre(Action{Verb::kStart, 1}));
  queue.remove(1);
  EXPECT_THAT(queue.next(), ElementsAre(Action{Verb::kPrepare, 3}));
  queue.remove(3);
  EXPECT_THAT(queue.next(), ElementsAre(Action{Verb::kPrepare, 5}));
}

TEST(RequestQueue, GivesUpARequestThatKillsTheWorkerAlone) {
  RequestQueue queue(4);
  queue.worker_ready();
  queue.add(1, kGeneration);
  (void)queue.next();
  EXPECT_THAT(queue.worker_lost().retried, ElementsAre(1));
  queue.worker_ready();
  (void)queue.next();
  EXPECT_THAT(queue.worker_lost().exhausted, ElementsAre(1));
  EXPECT_TRUE(queue.empty());
}

TEST(RequestQueue, KeepsWaitingRequestsThatTheWorkerNeverSaw) {
  RequestQueue queue(4);
  queue.add(1, kGeneration);
  const RequestQueue::Loss loss = queue.worker_lost();
  EXPECT_THAT(loss.retried, IsEmpty());
  queue.worker_ready();
  EXPECT_THAT(queue.next(), ElementsAre(Action{Verb::kPrepare, 1}));
}

TEST(RequestQueue, IgnoresAStateThatOpensAfterTheWorkerWasLost) {
  RequestQueue queue(4);
  queue.worker_ready();
  queue.add(1, kGeneration);
  (void)queue.next();
  queue.prepared(1);
  (void)queue.worker_lost();
  queue.startable(1);
  queue.worker_ready();
  EXPECT_THAT(queue.next(), ElementsAre(Action{Verb::kPrepare, 1}));
}

}  // namespace
}  // namespace rockllama
