#include "worker/session.h"

#include <unistd.h>

#include <cstdio>
#include <thread>
#include <type_traits>
#include <utility>

#include "base/clock.h"
#include "protocol/codec.h"
#include "worker/model_loader.h"

namespace rockllama {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitNoLoad = 1;
constexpr int kExitMisunderstood = 2;

constexpr double kOffersMs = 2000;  // for the server's answers after Shutdown
constexpr int kOfferWaitMs = 50;

// No variant of Event or Command: what a scripted model sends to be taken for garbage.
constexpr std::string_view kGarbage = "\xff this is no event";

}  // namespace

Session::Session(protocol::FrameChannel* channel)
    : channel_(channel),
      // A server that is gone is noticed by the reader.
      send_([channel](const protocol::Event& event) { static_cast<void>(channel->send(protocol::encode(event))); }),
      output_(send_),
      prepares_(send_,
                [this](PlannedWork work) { std::visit([this](auto& one) { queue_.push(std::move(one)); }, work); }) {}

int Session::run() {
  ModelSpec spec;
  if (const auto exit_code = greet(&spec)) return *exit_code;
  return load_and_serve(spec);
}

std::variant<Session::Received, int> Session::receive() {
  auto frame = channel_->receive();
  if (frame && !*frame) return kExitOk;
  auto command = frame ? protocol::decode_command((*frame)->bytes) : Result<protocol::Command>(fail(frame.error()));
  if (command) return Received{std::move(*command), std::move((*frame)->fd)};
  std::fprintf(stderr, "rockllama-worker: %s\n", command.error().message.c_str());
  return kExitMisunderstood;
}

// Hello in both directions, then Load. An exit code when it does not come to that.
std::optional<int> Session::greet(ModelSpec* spec) {
  send_(protocol::Hello{});
  auto first = receive();
  if (const int* exit_code = std::get_if<int>(&first)) return *exit_code;
  const auto* hello = std::get_if<protocol::Hello>(&std::get<Received>(first).command);
  if (hello == nullptr || hello->version != protocol::kVersion) {
    std::fprintf(stderr, "rockllama-worker: the server is of another version\n");
    return kExitMisunderstood;
  }
  auto second = receive();
  if (const int* exit_code = std::get_if<int>(&second)) return *exit_code;
  protocol::Command& command = std::get<Received>(second).command;
  if (std::holds_alternative<protocol::Shutdown>(command)) return kExitOk;
  auto* load = std::get_if<protocol::Load>(&command);
  if (load == nullptr) return kExitMisunderstood;
  *spec = std::move(load->spec);
  return std::nullopt;
}

int Session::load_and_serve(const ModelSpec& spec) {
  std::thread reader([this] { read_commands(); });
  auto model = load_worker_model(spec, {[this](const EngineEvent& event) { return output_.take(event); },
                                        [this] { static_cast<void>(channel_->send(kGarbage)); }});
  if (!model) {
    send_(protocol::LoadFailed{model.error().message});
    // The reader still waits for commands.
    ::_exit(kExitNoLoad);
  }
  engine_ = std::move(model->engine);
  cancel_target_ = engine_.get();
  prepares_.run(Preparer(std::move(model->preparer)));
  send_(protocol::Loaded{std::move(model->description)});
  drive_engine();
  offer_prefixes();
  ending_ = true;
  channel_->close();
  reader.join();
  // A vendor's runtime may hang where it is ended in good order, and its exit handlers are not ours.
  if (spec.engine == EngineKind::kRkllm) ::_exit(kExitOk);
  return kExitOk;
}

// The process ends here when the server goes away before all is said, because the engine may be inside a long decode.
void Session::read_commands() {
  for (;;) {
    auto received = receive();
    if (const int* exit_code = std::get_if<int>(&received)) {
      if (ending_) return;
      ::_exit(*exit_code);
    }
    auto& next = std::get<Received>(received);
    std::visit([&](auto& one) { obey(std::move(one), std::move(next.fd)); }, next.command);
  }
}

void Session::obey(const protocol::Hello& /*command*/, UniqueFd /*fd*/) {}
void Session::obey(const protocol::Load& /*command*/, UniqueFd /*fd*/) {}

void Session::obey(protocol::Prepare command, UniqueFd /*fd*/) { prepares_.add(std::move(command)); }

void Session::obey(protocol::Start command, UniqueFd fd) {
  if (auto prepared = prepares_.take(command.id)) {
    queue_.push(StartWork{std::move(*prepared), command.credit, std::move(fd)});
  } else {
    send_(failed(command.id, {ErrorCode::kInternal, "A request was started that was not prepared."}));
  }
}

// The engine is told twice: at once, for what it is working on, and in order, for what still waits in the queue.
void Session::obey(protocol::Cancel command, UniqueFd /*fd*/) {
  if (prepares_.cancel(command.id)) return;
  if (Engine* engine = cancel_target_) engine->cancel(command.id);
  queue_.push(command);
}

void Session::obey(protocol::Credit command, UniqueFd /*fd*/) { queue_.push(command); }

void Session::obey(protocol::Lend command, UniqueFd fd) {
  lent_ = Lent{command.id, {std::move(command.state), 0, std::move(fd)}};
}

void Session::obey(protocol::SaveState command, UniqueFd fd) {
  std::optional<PrefixState> lent;
  if (lent_ && lent_->id == command.id && lent_->state.file.valid()) lent = std::move(lent_->state);
  lent_.reset();
  if (fd.valid()) {
    prepares_.add(std::move(command), std::move(fd), std::move(lent));
  } else {
    send_(failed(command.id, {ErrorCode::kIo, "The file for a state did not reach the worker."}));
  }
}

void Session::obey(protocol::Ask command, UniqueFd /*fd*/) { prepares_.add(std::move(command)); }

void Session::obey(protocol::KnownStates command, UniqueFd /*fd*/) { prepares_.add(std::move(command)); }

void Session::obey(protocol::Keep command, UniqueFd fd) { queue_.push(KeepWork{command, std::move(fd)}); }

void Session::obey(protocol::Shutdown command, UniqueFd /*fd*/) {
  // A load cannot be interrupted, and there is nothing yet to put in order.
  if (cancel_target_ == nullptr) ::_exit(kExitOk);
  queue_.push(command);
}

void Session::drive_engine() {
  bool busy = false;
  for (;;) {
    for (EngineWork& work : queue_.take(/*wait=*/!busy)) {
      if (!apply(std::move(work))) return;
    }
    busy = engine_->step();
  }
}

// The server may want files of prefixes that would be lost now. What else it says comes too late.
void Session::offer_prefixes() {
  engine_->offer_all();
  const double end_ms = steady_ms() + kOffersMs;
  while (engine_->unanswered_offers() != 0 && steady_ms() < end_ms) {
    for (EngineWork& work : queue_.take_within(std::chrono::milliseconds(kOfferWaitMs))) {
      if (std::holds_alternative<KeepWork>(work)) static_cast<void>(apply(std::move(work)));
    }
  }
}

// False for Shutdown.
bool Session::apply(EngineWork work) {
  if (auto* start = std::get_if<StartWork>(&work)) {
    PreparedGeneration& prepared = start->prepared;
    prepared.task.credit = start->credit;
    if (prepared.task.prefix) prepared.task.prefix->file = std::move(start->state);
    const uint32_t reuse_tokens = prepared.task.prefix ? prepared.task.prefix->reuse_tokens : 0;
    output_.expect_generation(prepared.task.id, {std::move(prepared.stop),
                                                 std::move(prepared.syntax),
                                                 {std::move(prepared.reason), reuse_tokens},
                                                 std::move(prepared.echo)});
    engine_->start(std::move(prepared.task));
  } else if (auto* save = std::get_if<PlannedSave>(&work)) {
    output_.expect_state(save->task.id, std::move(save->note));
    engine_->save_state(std::move(save->task));
  } else if (auto* embedding = std::get_if<EmbeddingTask>(&work)) {
    engine_->embed(std::move(*embedding));
  } else if (auto* keep = std::get_if<KeepWork>(&work)) {
    if (keep->file.valid()) output_.expect_state(keep->command.id, {});
    engine_->keep(keep->command.id, keep->command.offer, std::move(keep->file));
  } else if (const auto* credit = std::get_if<protocol::Credit>(&work)) {
    engine_->add_credit(credit->id, credit->tokens);
  } else if (const auto* cancel = std::get_if<protocol::Cancel>(&work)) {
    engine_->cancel(cancel->id);
  }
  return !std::holds_alternative<protocol::Shutdown>(work);
}

}  // namespace rockllama
