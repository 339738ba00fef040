// A ModelWorker that is a rockllama-worker process: spawns it, loads the model, passes frames, kills it when it hangs,
// starts it again with back-off when it ended.
//
// Two threads of its own: one spawns and watches (and lives as long as any worker it spawned, because workers die with
// that thread), one reads events, one takes what the worker prints and passes it on to the log. The first two call the
// sink, one at a time. Commands only queue; a prompt or a state that does
// not fit fails by itself: kTooLarge over the frame limit, kQueueFull where too much waits already.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "protocol/frame_channel.h"
#include "supervisor/crash_count.h"
#include "supervisor/log_lines.h"
#include "supervisor/model_worker.h"
#include "supervisor/progress_watch.h"

namespace rockllama {

struct WorkerProcessOptions {
  std::string program;              // path of rockllama-worker
  double hang_floor_ms = 30'000;    // no progress: at least this long
  double restart_backoff_ms = 250;  // doubles with each loss in a row
  // From Shutdown, or from the last sign that it still writes states, to SIGKILL; and at most in all.
  double stop_grace_ms = 3'000;
  double stop_limit_ms = 30'000;
  uint64_t model_bytes = 0;  // scales the patience with a load
  // A prompt whose frame is larger is refused.
  size_t frame_limit_bytes = protocol::kMaxFrameBytes;
};

class OutputPipe;

class WorkerProcess : public ModelWorker {
 public:
  WorkerProcess(WorkerProcessOptions options, ModelSpec spec, WorkerSink sink);
  ~WorkerProcess() override;

  void prepare(const protocol::Prepare& command) override;
  void start(const protocol::Start& command, UniqueFd state) override;
  void cancel(RequestId id) override;
  void add_credit(RequestId id, uint32_t tokens) override;
  void lend(const protocol::Lend& command, UniqueFd state) override;
  void save_state(const protocol::SaveState& command, UniqueFd file) override;
  void ask(const protocol::Ask& command) override;
  void know_states(const protocol::KnownStates& command) override;
  void keep(const protocol::Keep& command, UniqueFd file) override;
  [[nodiscard]] WorkerLog log() override;
  void stop() override;

 private:
  struct Incarnation;  // one process with its channel

  void supervise();
  WorkerLost live_once();
  // Until the process ended by itself, hung, or stop() was called; then it is dead. Gives how it ended.
  WorkerLost watch_over(Incarnation* incarnation, OutputPipe* output);
  void begin_life(Incarnation* incarnation);
  void read_events(Incarnation* incarnation);
  bool take(const protocol::Event& event);
  [[nodiscard]] bool must_stop_now(double now) const;
  [[nodiscard]] bool loaded();  // and not gone since
  void note(const protocol::Loaded& event, double now);
  void note(const protocol::LoadFailed& event, double now);
  void note(const protocol::Prepared& event, double now);
  void note(const protocol::Restoring& event, double now);
  void note(const protocol::Started& event, double now);
  void note(const protocol::Progress& event, double now);
  void note(const protocol::Tokens& event, double now);
  void note(const protocol::Finished& event, double now);
  void note(const protocol::Failed& event, double now);
  void note(const protocol::StateSaved& event, double now);
  void note(const protocol::Answered& event, double now);
  void note(const protocol::Offered& event, double now);
  void note(const protocol::Figures&, double) {}
  void note_end(RequestId id, double now);
  void take_output(std::string_view bytes);
  void take_lines(const std::vector<std::string>& lines);
  std::string end_output(OutputPipe* output);
  void post(const protocol::Command& command, UniqueFd fd = {});
  bool refuse(RequestId id, size_t bytes);
  void tell_refused();
  void tell(const WorkerEvent& event);
  bool wait_for_restart(const WorkerLost& loss);

  const WorkerProcessOptions options_;
  const ModelSpec spec_;
  const WorkerSink sink_;

  std::mutex telling_;  // held while the sink is called; never taken under mutex_
  std::mutex mutex_;
  std::condition_variable stop_asked_;
  bool stopping_ = false;
  bool loaded_ = false;       // this incarnation, or the last one
  bool garbage_ = false;      // it sent what is no frame or no event
  std::string load_failure_;  // what it said when it could not load
  std::string restoring_;     // id of the state that is being restored, or empty
  RequestId restoring_id_ = 0;
  CrashCount crashes_;
  std::map<uint64_t, uint64_t> offered_bytes_;  // by offer, until it is answered
  double stop_began_ms_ = 0;
  double last_sign_ms_ = 0;                // of the worker, or when stop() was called
  std::vector<protocol::Failed> refused_;  // to tell
  ProgressWatch watch_;
  protocol::FrameWriter* writer_ = nullptr;  // of the live incarnation

  std::mutex log_mutex_;
  LogLines log_lines_;
  RuntimeReport runtime_;      // of the last load
  std::string runtime_error_;  // the last line of this incarnation that reports one

  std::thread thread_;
};

}  // namespace rockllama
