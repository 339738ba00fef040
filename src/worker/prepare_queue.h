// Requests before they reach the engine: waiting to be prepared, in work on a thread of its own, or prepared and not
// started. Any thread may call; every id is answered with Prepared, or Failed, or goes to `plan`.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>

#include "base/unique_fd.h"
#include "protocol/messages.h"
#include "worker/event_sender.h"
#include "worker/preparer.h"

namespace rockllama {

// A state whose cuts are planned, ready for the engine.
struct PlannedSave {
  SaveStateTask task;
  std::string note;
};

// What the engine gets without a further word of the server.
using PlannedWork = std::variant<PlannedSave, EmbeddingTask>;

class PrepareQueue {
 public:
  PrepareQueue(EventSender send, std::function<void(PlannedWork)> pass_on);
  // Drops what waits; finishes what is in work.
  ~PrepareQueue();
  PrepareQueue(const PrepareQueue&) = delete;
  PrepareQueue& operator=(const PrepareQueue&) = delete;

  // Begins to work; until then everything waits. Once.
  void run(Preparer preparer);

  void add(protocol::Prepare command);
  // `lent`: the state of what the line continues.
  void add(protocol::SaveState command, UniqueFd file, std::optional<PrefixState> lent);
  void add(protocol::Ask command);
  // Holds for what is added after it.
  void add(protocol::KnownStates command);
  // What was prepared under this id, which is forgotten here.
  [[nodiscard]] std::optional<PreparedGeneration> take(RequestId id);
  // True when the id was here: it is forgotten, and Failed{kCancelled} was sent.
  bool cancel(RequestId id);

 private:
  struct Save {
    protocol::SaveState command;
    UniqueFd file;
    std::optional<PrefixState> lent;
  };
  using Work = std::variant<protocol::Prepare, Save, protocol::Ask, protocol::KnownStates>;

  static std::optional<RequestId> id_of(const Work& work);
  void work_on();
  std::optional<Work> next();
  void work(Preparer* preparer, const protocol::Prepare& command);
  void work(Preparer* preparer, Save& save);
  void work(Preparer* preparer, const protocol::Ask& command);
  void work(Preparer* preparer, protocol::KnownStates& states);
  bool finish_current();

  EventSender send_;
  std::function<void(PlannedWork)> pass_on_;
  std::optional<Preparer> preparer_;

  // Held while an event is sent, so that nothing follows the Failed of a cancelled id.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_;
  std::optional<RequestId> current_;
  std::map<RequestId, PreparedGeneration> prepared_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rockllama
