// A loaded model as the server sees it: the contract of the worker's engine and its prepare step, whatever carries it.
// Implementations: WorkerProcess (frames to a rockllama-worker) and FakeModelWorker (tests/support).
//
// Calls may come from any thread and never block on the worker. Events come through one sink, one at a time, in order,
// on a thread of the implementation; the sink must not block for long, and may call back.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "base/unique_fd.h"
#include "domain/model.h"
#include "domain/runtime_report.h"
#include "protocol/messages.h"

namespace rockllama {

// The model is loaded; also after each restart.
struct WorkerReady {
  LoadedModel model;
};

enum class LossKind : uint8_t {
  kCrash,   // SEGV, ABRT, BUS, ILL, an exit nobody asked for, or garbage on the line
  kHang,    // killed by us: no progress within the deadline
  kKilled,  // SIGKILL from elsewhere; mostly: out of memory
  kNoLoad,  // the model could not be loaded
};

// The worker is gone, and so is all that it was asked. Unless `final`, it starts again by itself and WorkerReady
// follows.
struct WorkerLost {
  LossKind kind = LossKind::kCrash;
  std::string reason;       // for people: "killed by signal 11 (Segmentation fault)"
  std::string restoring{};  // id of the state that it died in the restore of, or empty
  bool final = false;
};

// What the worker's processes wrote to stdout and stderr.
struct WorkerLog {
  std::vector<std::string> lines{};  // the last ones, oldest first
  RuntimeReport runtime{};           // what an RKLLM runtime said of itself in the last load
};

using WorkerEvent = std::variant<WorkerReady, WorkerLost, protocol::Prepared, protocol::Restoring, protocol::Started,
                                 protocol::Progress, protocol::Tokens, protocol::Finished, protocol::Failed,
                                 protocol::StateSaved, protocol::Answered, protocol::Offered, protocol::Figures>;
using WorkerSink = std::function<void(const WorkerEvent&)>;

class ModelWorker {
 public:
  virtual ~ModelWorker() = default;
  // What is sent while there is no live worker is dropped: WorkerLost has said, or will say, so.
  virtual void prepare(const protocol::Prepare& command) = 0;
  virtual void start(const protocol::Start& command, UniqueFd state) = 0;
  virtual void cancel(RequestId id) = 0;
  virtual void add_credit(RequestId id, uint32_t tokens) = 0;
  // Before save_state with the same id.
  virtual void lend(const protocol::Lend& command, UniqueFd state) = 0;
  virtual void save_state(const protocol::SaveState& command, UniqueFd file) = 0;
  virtual void ask(const protocol::Ask& command) = 0;
  virtual void know_states(const protocol::KnownStates& command) = 0;
  // The answer to Offered; an invalid `file` lets the state go.
  virtual void keep(const protocol::Keep& command, UniqueFd file) = 0;
  [[nodiscard]] virtual WorkerLog log() = 0;
  // Ends the process and joins its threads; no event comes after it returns. Not to be called from the sink.
  virtual void stop() = 0;
};

}  // namespace rockllama
