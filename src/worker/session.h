// The life of a worker: hello, load, then commands until the server says Shutdown or goes away.
//
// Threads: the one that calls run() loads the model and drives the engine; a reader takes commands, so that a cancel
// works in the middle of a decode; a third one prepares.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <variant>

#include "engine/engine.h"
#include "protocol/frame_channel.h"
#include "worker/engine_queue.h"
#include "worker/generation_output.h"
#include "worker/prepare_queue.h"

namespace rockllama {

class Session {
 public:
  // The channel must outlive the session.
  explicit Session(protocol::FrameChannel* channel);

  // The exit code: 0 after Shutdown or when the server went away before the load, 1 when the model could not be loaded,
  // 2 for a server of another version or one that sends garbage. Once the model loads, the end of the stream ends the
  // process at once, whatever the engine does.
  [[nodiscard]] int run();

 private:
  // The next command and its descriptor; an exit code when there is none.
  struct Received {
    protocol::Command command;
    UniqueFd fd;
  };
  std::variant<Received, int> receive();
  std::optional<int> greet(ModelSpec* spec);
  int load_and_serve(const ModelSpec& spec);
  void read_commands();
  void drive_engine();
  void offer_prefixes();
  bool apply(EngineWork work);

  // Each command on the reader's thread.
  void obey(const protocol::Hello& command, UniqueFd fd);
  void obey(const protocol::Load& command, UniqueFd fd);
  void obey(protocol::Prepare command, UniqueFd fd);
  void obey(protocol::Start command, UniqueFd fd);
  void obey(protocol::Cancel command, UniqueFd fd);
  void obey(protocol::Credit command, UniqueFd fd);
  void obey(protocol::Lend command, UniqueFd fd);
  void obey(protocol::SaveState command, UniqueFd fd);
  void obey(protocol::Ask command, UniqueFd fd);
  void obey(protocol::KnownStates command, UniqueFd fd);
  void obey(protocol::Keep command, UniqueFd fd);
  void obey(protocol::Shutdown command, UniqueFd fd);

  protocol::FrameChannel* channel_;
  EventSender send_;
  // For the next save_state; used by the reader.
  struct Lent {
    RequestId id;
    PrefixState state;
  };
  std::optional<Lent> lent_;
  EngineQueue queue_;
  GenerationOutput output_;
  std::unique_ptr<Engine> engine_;
  std::atomic<Engine*> cancel_target_ = nullptr;  // engine_, for the reader
  std::atomic<bool> ending_ = false;              // after Shutdown, with all said
  PrepareQueue prepares_;                         // last: its thread uses what stands above
};

}  // namespace rockllama
