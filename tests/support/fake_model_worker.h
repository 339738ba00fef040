// A ModelWorker that records what it is told; the test says what the worker answers.
#pragma once

#include <mutex>
#include <vector>

#include "supervisor/model_worker.h"

namespace rockllama::test {

class FakeModelWorker : public ModelWorker {
 public:
  struct Sent {
    std::vector<protocol::Prepare> prepares;
    struct Start {
      protocol::Start command;
      bool with_state;
    };
    std::vector<Start> starts;
    std::vector<RequestId> cancels;
    std::vector<std::pair<RequestId, uint32_t>> credits;
    struct Lend {
      protocol::Lend command;
      bool with_state;
    };
    std::vector<Lend> lends;
    std::vector<protocol::SaveState> saves;
    std::vector<UniqueFd> save_files;
    std::vector<protocol::Ask> questions;
    std::vector<protocol::KnownStates> known;
    struct Keep {
      protocol::Keep command;
      bool with_file;
    };
    std::vector<Keep> keeps;
    bool stopped = false;
  };

  void prepare(const protocol::Prepare& command) override;
  void start(const protocol::Start& command, UniqueFd state) override;
  void cancel(RequestId id) override;
  void add_credit(RequestId id, uint32_t tokens) override;
  void lend(const protocol::Lend& command, UniqueFd state) override;
  void save_state(const protocol::SaveState& command, UniqueFd file) override;
  void ask(const protocol::Ask& command) override;
  void know_states(const protocol::KnownStates& command) override;
  void keep(const protocol::Keep& command, UniqueFd file) override;
  WorkerLog log() override { return {}; }
  void stop() override;

  // Only while no other thread sends.
  [[nodiscard]] Sent& sent() { return sent_; }

 private:
  std::mutex mutex_;
  Sent sent_;
};

}  // namespace rockllama::test
