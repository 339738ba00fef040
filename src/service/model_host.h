// One loaded model: its worker, its scheduler, its fingerprint. Made and ended by ModelPool.
//
// Thread-safe. Worker events arrive on the worker's thread and go on to the scheduler.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/scheduler.h"
#include "service/context.h"
#include "service/model_failure.h"
#include "service/offer_keeper.h"
#include "service/state_feed.h"

namespace rockllama {

class ModelHost : public std::enable_shared_from_this<ModelHost> {
 public:
  using Done = std::function<void(Status)>;
  // Calls its second argument when it is done.
  using WarmUp = std::function<void(std::shared_ptr<ModelHost>, std::function<void()>)>;

  // Never destroyed on a thread of its own worker, whoever lets go of it last.
  static std::shared_ptr<ModelHost> make(ServiceContext* context, ModelEntry entry);

  // Starts the worker. `warm_up` is the last step before the model counts as ready; it begins on the executor once the
  // worker is up.
  void begin(WarmUp warm_up);
  // Calls `done` once: when the model can answer, or with why it can't.
  void when_ready(Done done);
  // Ends all requests with `error` and the worker. Blocks until the worker is gone, also where another call ends it;
  // executor or main only.
  void close(const Error& error);

  [[nodiscard]] const ModelEntry& entry() const { return entry_; }
  [[nodiscard]] Scheduler& scheduler() { return scheduler_; }
  // What the worker knows of the states that exist as files.
  [[nodiscard]] StateFeed& states() { return states_; }
  [[nodiscard]] bool ready() const;
  // Set when it could not be loaded or serves no more, as when its file was replaced; it does not recover.
  [[nodiscard]] std::optional<ModelFailure> failure() const;
  [[nodiscard]] WorkerLog log() const;            // of its worker
  [[nodiscard]] LoadedModel model() const;        // as of the last load
  [[nodiscard]] std::string fingerprint() const;  // of states; empty before the first load, then the same for ever
  [[nodiscard]] EngineFigures figures() const;    // as the worker said last

 private:
  ModelHost(ServiceContext* context, ModelEntry entry);
  Status start_worker();
  void on_event(const WorkerEvent& event);
  void on_ready(const LoadedModel& model);
  void verify(const LoadedModel& model, int life);
  [[nodiscard]] Result<std::string> fingerprint_of(const LoadedModel& model);
  [[nodiscard]] Status admit(const LoadedModel& model, const std::string& fingerprint);
  void on_lost(const WorkerLost& loss);
  void finish(const Status& status);
  void tell_waiting(const Status& status);
  void give_up(const Error& error, bool crashed = false);
  void quarantine(const WorkerLost& loss);
  void on_offered(const protocol::Offered& offer);
  [[nodiscard]] bool is_kept_offer(const WorkerEvent& event) const;
  void on_kept_offer(const WorkerEvent& event);
  void run(std::function<void()> work);

  ServiceContext* context_;
  const ModelEntry entry_;
  Scheduler scheduler_;
  StateFeed states_;
  OfferKeeper offers_;
  WarmUp warm_up_;

  std::mutex closing_;
  mutable std::mutex mutex_;
  bool ready_ = false;
  bool closed_ = false;
  int life_ = 0;   // counts what the worker became: ready, lost, ready, ...
  FileInfo file_;  // before the worker was started
  std::optional<ModelFailure> failure_;
  LoadedModel model_;
  EngineFigures figures_;
  std::string fingerprint_;
  std::vector<Done> waiting_;
  std::map<std::string, int> kills_;  // by state that was being restored
  std::unique_ptr<ModelWorker> worker_;
};

}  // namespace rockllama
