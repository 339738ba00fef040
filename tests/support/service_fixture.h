// A Service over a temporary folder and workers that answer by themselves, for tests of the flows.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "service/service.h"

namespace rockllama::test {

// What the workers of a fixture do; a test changes it before the call that it matters for.
struct WorkerScript {
  bool state_save = true;
  std::string payload = "state";
  std::optional<Error> save_error{};
  std::atomic<int> failing_saves = -1;  // so many end with save_error; negative = all
  std::atomic<int> deaths_on_save = 0;  // the worker is lost instead of saving, that many times
  std::function<void()> in_save{};      // before a save ends; may block
  bool hold_saves = false;              // a save does not end
  std::atomic<RequestId> held_save{0};
  int deaths_on_question = 0;    // as the next, of questions
  int deaths_on_start = 0;       // the worker is lost instead of answering, that many times
  std::string dies_restoring{};  // LossKind::kCrash in the restore of any state, when not empty
  int refused_states = 0;        // how many states it does not take
  bool load_fails = false;
  int crashes_for_good = 0;        // so many loads end with a final crash
  std::vector<std::string> log{};  // what the worker printed
  bool token_counts = true;
  std::vector<std::string> ignored_sampling{};
  bool tells_use_at_end = false;                 // only with the end it is told what was reused
  bool finds_states = false;                     // a request without a cache uses a state that was made known
  std::vector<protocol::Offered> last_offers{};  // when it is told to stop
  bool dies_for_good = false;                    // instead of answering
  bool hold_answers = false;                     // Started comes, text and end do not
  std::string engine_fingerprint = "test";
  std::function<void()> in_load{};  // before the model counts as loaded; may block
  std::function<void()> in_stop{};  // may block
};

class ServiceFixture : public ::testing::Test {
 protected:
  ServiceFixture();
  ~ServiceFixture() override;

  // Makes the service; `options` may be changed before.
  void begin();
  void add_model(const std::string& name);
  // Runs a request to its end.
  CompletionDone complete(CompletionRequest request);
  Error fail_to_complete(CompletionRequest request);
  Result<CacheCreated> create(CreateCache request);
  // As if the worker that was made last for this model said it.
  void tell(const std::string& model, const WorkerEvent& event);
  WorkerFactory worker_factory();
  // Until `condition` holds, at most a minute.
  bool wait_until(const std::function<bool()>& condition);
  [[nodiscard]] static CompletionRequest chat(const std::string& text, std::vector<std::string> caches = {});

  std::string folder;
  ServiceOptions options;
  std::shared_ptr<WorkerScript> script = std::make_shared<WorkerScript>();
  std::shared_ptr<std::vector<std::string>> said = std::make_shared<std::vector<std::string>>();  // "start m state"
  std::vector<std::string> told_states;  // to workers: "known reset +2 -0"; guarded by said_mutex
  std::mutex said_mutex;
  std::map<std::string, WorkerSink> sinks;  // by model; guarded by said_mutex
  std::unique_ptr<FileSystem> files;
  std::unique_ptr<ModelRegistry> registry;
  std::unique_ptr<CacheStore> store;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Service> service;

 private:
  CompletionEvent run(CompletionRequest request);
};

}  // namespace rockllama::test
