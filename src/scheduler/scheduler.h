// Runs requests on one model's worker: keeps each one's phase (RequestQueue), hands events to its sink, runs again what
// a lost worker had not begun to answer.
//
// Thread-safe. Sinks are called on the worker's event thread, on the thread that calls cancel, or on the one that calls
// close; one call at a time per request, and none after the last event. A sink may call back.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "scheduler/request_queue.h"
#include "supervisor/model_worker.h"

namespace rockllama {

// The worker died while it saved a state.
struct SaveLost {
  WorkerLost loss;
  bool alone = false;  // it had nothing else to do
};

// Prepared must be answered with start(). It comes again when the request is run again, and all after it. Finished,
// StateSaved, Answered, SaveLost and Error are the last.
using JobEvent = std::variant<protocol::Prepared, protocol::Started, protocol::Progress, protocol::Tokens,
                              protocol::Finished, protocol::StateSaved, protocol::Answered, SaveLost, Error>;
struct LentState {
  StateKey key;
  UniqueFd file;
};
using JobSink = std::function<void(const JobEvent&)>;
struct JobOptions {
  // Nobody sees its text before its end: it is run again also when the worker dies in mid-answer.
  bool buffered = false;
  RequestOrigin origin{};
};

class Scheduler {
 public:
  explicit Scheduler(uint32_t parallel);

  // Once, before anything else. `worker` outlives all calls but close().
  void set_worker(ModelWorker* worker);
  // A generation; `command.id` is new. Its events begin with Prepared.
  void submit(protocol::Prepare command, JobSink sink, JobOptions options = {});
  // The answer to Prepared. An invalid descriptor: the text serves.
  void start(RequestId id, UniqueFd state, uint32_t credit);
  // `lent`: the state of what the line continues, if there is one.
  void save_state(protocol::SaveState command, UniqueFd file, JobSink sink, std::optional<LentState> lent = {});
  // `command.id` is new; `caller` as in RequestOrigin.
  void ask(protocol::Ask command, JobSink sink, std::string caller);
  // The sink gets Error{kCancelled} unless the request ended before.
  void cancel(RequestId id);
  void add_credit(RequestId id, uint32_t tokens);
  // Everything that the worker says comes in here.
  void handle(const WorkerEvent& event);
  // Ends all requests with `error`; nothing is sent to the worker any more.
  void close(const Error& error);
  [[nodiscard]] size_t active() const;
  // Since when no worker has been ready, in steady_ms; nothing while one is.
  [[nodiscard]] std::optional<double> not_ready_since_ms() const;

 private:
  struct Job {
    using Command = std::variant<protocol::Prepare, protocol::SaveState, protocol::Ask>;
    Job(Command the_command, UniqueFd the_file, uint32_t the_credit, JobSink the_sink)
        : command(std::move(the_command)), file(std::move(the_file)), credit(the_credit), sink(std::move(the_sink)) {}
    Command command;
    UniqueFd file;        // state to restore, or file to fill
    uint32_t credit = 0;  // for start
    JobSink sink;
    std::optional<LentState> lent{};  // for save_state
    bool buffered = false;
    bool begun = false;                 // the queue knows that text went out; guarded by `mutex_`
    std::recursive_mutex delivering{};  // recursive: a sink may cancel its own request
    bool ended = false;                 // the last event was delivered; guarded by `delivering`
  };
  static void give(Job& job, const JobEvent& event, bool last);
  using Jobs = std::map<RequestId, std::shared_ptr<Job>>;

  void add(RequestId id, RequestQueue::Kind kind, const std::shared_ptr<Job>& job, RequestOrigin origin);
  void send_next();
  void perform(const RequestQueue::Action& action, Job* job);
  void deliver(RequestId id, const JobEvent& event, bool last);
  void ready(const WorkerReady& worker);
  void lost(const WorkerLost& loss);

  mutable std::mutex mutex_;
  RequestQueue queue_;
  Jobs jobs_;
  ModelWorker* worker_ = nullptr;  // null after close
  std::optional<double> not_ready_since_ms_;
};

}  // namespace rockllama
