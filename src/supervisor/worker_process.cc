#include "supervisor/worker_process.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

#include "base/clock.h"
#include "base/scratch_folder.h"
#include "base/subprocess.h"
#include "protocol/codec.h"
#include "supervisor/output_pipe.h"

namespace rockllama {
namespace {

constexpr int kWorkerFd = 3;
constexpr int kWatchMs = 50;
constexpr double kLongestBackoffMs = 30'000;
// Commands that wait for a worker that does not read: two of the largest frames, and room for what is never refused.
constexpr size_t kWaitingFrames = 2;
constexpr size_t kReservedBytes = 1u << 20;

uint64_t messages_bytes(const ChatPrompt& chat) {
  uint64_t bytes = 0;
  for (const ChatMessage& message : chat.messages) bytes += message.content.size();
  return bytes;
}

// A token id counts as the bytes of a usual token.
uint64_t text_bytes(const TextPrompt& prompt) {
  return prompt.text.size() + prompt.tokens.size() * sizeof(int32_t) + prompt.suffix.size();
}

uint64_t prompt_bytes(const protocol::Prepare& command) {
  uint64_t bytes = 0;
  for (const CacheReference& cache : command.caches) bytes += content_bytes(cache.line);
  if (const auto* text = std::get_if<TextPrompt>(&command.prompt)) return bytes + text_bytes(*text);
  return bytes + messages_bytes(std::get<ChatPrompt>(command.prompt));
}

// A token id counts as the bytes of a usual token.
uint64_t question_bytes(const EmbeddingsQuestion& question) {
  uint64_t bytes = 0;
  for (const EmbeddingInput& input : question.inputs) {
    const auto* ids = std::get_if<std::vector<int32_t>>(&input);
    bytes += ids != nullptr ? ids->size() * sizeof(int32_t) : std::get<std::string>(input).size();
  }
  return bytes;
}
uint64_t question_bytes(const TokenizeQuestion& question) { return question.text.size(); }
uint64_t question_bytes(const DetokenizeQuestion& question) { return question.tokens.size() * sizeof(int32_t); }
uint64_t question_bytes(const TemplateQuestion& question) { return messages_bytes(question.chat); }

uint64_t file_bytes(const UniqueFd& file) {
  struct stat status {};
  return file.valid() && ::fstat(file.get(), &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

// The request that a command begins, and that can be refused with it; 0 = none.
RequestId refusable(const protocol::Command& command) {
  if (const auto* prepare = std::get_if<protocol::Prepare>(&command)) return prepare->id;
  if (const auto* save = std::get_if<protocol::SaveState>(&command)) return save->id;
  if (const auto* ask = std::get_if<protocol::Ask>(&command)) return ask->id;
  return 0;
}

// What a worker that was told to stop still has to say: what it holds and what became of its files.
bool counts_at_the_end(const protocol::Event& event) {
  return std::holds_alternative<protocol::Offered>(event) || std::holds_alternative<protocol::StateSaved>(event) ||
         std::holds_alternative<protocol::Failed>(event);
}

// What a client may be told: a line with a path is for the log alone.
std::string said(const std::string& runtime_error) {
  if (runtime_error.empty() || runtime_error.find('/') != std::string::npos) return "";
  return "; the runtime said: " + runtime_error;
}

LossKind kind_of(const ExitStatus& status) { return status.signal == SIGKILL ? LossKind::kKilled : LossKind::kCrash; }

}  // namespace

struct WorkerProcess::Incarnation {
  Incarnation(Subprocess the_process, UniqueFd socket, size_t frame_limit_bytes)
      : process(std::move(the_process)),
        channel(std::move(socket)),
        writer(&channel, kWaitingFrames * frame_limit_bytes + kReservedBytes) {}
  Subprocess process;
  protocol::FrameChannel channel;
  protocol::FrameWriter writer;
};

WorkerProcess::WorkerProcess(WorkerProcessOptions options, ModelSpec spec, WorkerSink sink)
    : options_(std::move(options)),
      spec_(std::move(spec)),
      sink_(std::move(sink)),
      watch_(options_.hang_floor_ms, spec_.block_tokens),
      thread_([this] { supervise(); }) {}

WorkerProcess::~WorkerProcess() { WorkerProcess::stop(); }

void WorkerProcess::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) stop_began_ms_ = last_sign_ms_ = steady_ms();
    stopping_ = true;
    if (writer_ != nullptr) writer_->post(protocol::encode(protocol::Command(protocol::Shutdown{})));
  }
  stop_asked_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void WorkerProcess::supervise() {
  for (;;) {
    WorkerLost loss = live_once();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      if (crashes_.lost(steady_ms())) loss.final = true;
    }
    sink_(loss);
    if (loss.final || !wait_for_restart(loss)) return;
  }
}

// Doubles with each loss in a row; false when stop() was called meanwhile.
bool WorkerProcess::wait_for_restart(const WorkerLost& loss) {
  std::unique_lock lock(mutex_);
  const double wait_ms =
      std::min(options_.restart_backoff_ms * (1 << std::min(crashes_.in_a_row() - 1, 16)), kLongestBackoffMs);
  spdlog::info("model {}: {}; starts again in {:.0f} ms", spec_.name, loss.reason, wait_ms);
  return !stop_asked_.wait_for(lock, std::chrono::duration<double, std::milli>(wait_ms), [this] { return stopping_; });
}

WorkerLost WorkerProcess::live_once() {
  auto sockets = protocol::make_socket_pair();
  if (!sockets) return {.reason = sockets.error().message};
  OutputPipe output;
  if (const Status opened = output.open(); !opened) return {.reason = opened.error().message};
  auto process = Subprocess::spawn(
      {options_.program, "--fd", std::to_string(kWorkerFd)},
      {{output.child_end(), STDOUT_FILENO}, {output.child_end(), STDERR_FILENO}, {sockets->second.get(), kWorkerFd}});
  if (!process) return {.kind = LossKind::kNoLoad, .reason = process.error().message, .final = true};
  sockets->second.reset();
  Incarnation incarnation(std::move(*process), std::move(sockets->first), options_.frame_limit_bytes);
  begin_life(&incarnation);
  output.begin([this](std::string_view bytes) { take_output(bytes); });
  post(protocol::Hello{});
  post(protocol::Load{spec_});
  return watch_over(&incarnation, &output);
}

void WorkerProcess::begin_life(Incarnation* incarnation) {
  {
    const std::lock_guard lock(log_mutex_);
    runtime_ = {};
    runtime_error_.clear();
  }
  const std::lock_guard lock(mutex_);
  crashes_.load_began();
  loaded_ = false;
  garbage_ = false;
  restoring_.clear();
  offered_bytes_.clear();
  const uint32_t block_tokens = spec_.engine == EngineKind::kRkllm ? 0 : spec_.block_tokens;
  watch_ = ProgressWatch(options_.hang_floor_ms, block_tokens, watch_.prefill_speed());
  watch_.load_asked(options_.model_bytes, steady_ms());
  writer_ = &incarnation->writer;
  if (stopping_) writer_->post(protocol::encode(protocol::Command(protocol::Shutdown{})));
}

WorkerLost WorkerProcess::watch_over(Incarnation* incarnation, OutputPipe* output) {
  std::thread reader([this, incarnation] { read_events(incarnation); });
  std::optional<ExitStatus> status;
  std::optional<std::string> hung;
  while (!(status = incarnation->process.wait(kWatchMs))) {
    tell_refused();
    const std::lock_guard lock(mutex_);
    hung = stopping_ ? std::nullopt : watch_.hung(steady_ms());
    if (hung || garbage_ || must_stop_now(steady_ms())) {
      incarnation->process.signal(SIGKILL);
      status = incarnation->process.wait(-1);
      break;
    }
  }
  // The process is dead: what it had sent is still read to the end, then the stream ends.
  reader.join();
  remove_dead_scratch_folders();
  const std::string runtime_error = end_output(output);
  const std::lock_guard lock(mutex_);
  writer_ = nullptr;
  WorkerLost loss{.kind = kind_of(*status), .reason = "it ended with " + to_string(*status), .restoring = restoring_};
  if (hung) loss = {.kind = LossKind::kHang, .reason = "it hung: " + *hung, .restoring = restoring_};
  if (garbage_) loss = {.kind = LossKind::kCrash, .reason = "it sent garbage", .restoring = restoring_};
  loss.reason += said(runtime_error);
  if (!load_failure_.empty()) loss = {.kind = LossKind::kNoLoad, .reason = load_failure_, .final = true};
  return loss;
}

// Caller holds the mutex.
bool WorkerProcess::must_stop_now(double now) const {
  if (!stopping_) return false;
  const double patience_ms = options_.stop_grace_ms + watch_.disk_patience_ms();
  return now > last_sign_ms_ + patience_ms || now > stop_began_ms_ + options_.stop_limit_ms;
}

void WorkerProcess::read_events(Incarnation* incarnation) {
  for (;;) {
    auto frame = incarnation->channel.receive();
    if (frame && !*frame) return;
    auto event =
        frame ? protocol::decode_event((*frame)->bytes) : Result<protocol::Event>(tl::unexpected(frame.error()));
    if (event && take(*event)) continue;
    const std::lock_guard lock(mutex_);
    // A stream that ends inside a frame is a death like any other; watch_over sees the exit status.
    garbage_ = frame.has_value();
    return incarnation->channel.close();
  }
}

// Keeps the watch on what the worker owes. Caller holds the mutex.
void WorkerProcess::note(const protocol::Loaded& event, double now) {
  loaded_ = true;
  crashes_.loaded(now);
  watch_.loaded(event.model.kv_bytes_per_token);
}
void WorkerProcess::note(const protocol::LoadFailed& event, double) { load_failure_ = event.message; }
void WorkerProcess::note(const protocol::Prepared& event, double) { watch_.prepared(event.id); }
void WorkerProcess::note(const protocol::Restoring& event, double now) {
  watch_.restoring(event.id, now);
  restoring_ = event.state_id;
  restoring_id_ = event.id;
}
void WorkerProcess::note(const protocol::Started& event, double now) {
  watch_.started(event.id, event.cache.tokens, now);
}
void WorkerProcess::note(const protocol::Progress& event, double now) {
  watch_.prefilled(event.id, event.done_tokens, event.total_tokens, now);
}
void WorkerProcess::note(const protocol::Tokens& event, double now) { watch_.generated(event.id, event.count, now); }
void WorkerProcess::note(const protocol::Finished& event, double now) { note_end(event.id, now); }
void WorkerProcess::note(const protocol::Failed& event, double now) { note_end(event.id, now); }
void WorkerProcess::note(const protocol::StateSaved& event, double now) { note_end(event.id, now); }
void WorkerProcess::note(const protocol::Answered& event, double now) { note_end(event.id, now); }
void WorkerProcess::note(const protocol::Offered& event, double) { offered_bytes_[event.offer] = event.bytes; }
void WorkerProcess::note_end(RequestId id, double now) {
  watch_.ended(id, now);
  crashes_.worked();
}

void WorkerProcess::take_output(std::string_view bytes) {
  std::vector<std::string> lines;
  {
    const std::lock_guard lock(log_mutex_);
    lines = log_lines_.add(bytes);
  }
  take_lines(lines);
}

void WorkerProcess::take_lines(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    spdlog::info("model {}: {}", spec_.name, line);
    const std::lock_guard lock(log_mutex_);
    read_runtime_line(line, &runtime_);
    if (is_runtime_error(line)) runtime_error_ = line;
  }
}

// Gives the last error that a runtime reported in this life.
std::string WorkerProcess::end_output(OutputPipe* output) {
  output->finish();
  std::vector<std::string> rest;
  {
    const std::lock_guard lock(log_mutex_);
    rest = log_lines_.end();
  }
  take_lines(rest);
  const std::lock_guard lock(log_mutex_);
  return runtime_error_;
}

WorkerLog WorkerProcess::log() {
  const std::lock_guard lock(log_mutex_);
  return {log_lines_.recent(), runtime_};
}

// False for a worker of another build.
bool WorkerProcess::take(const protocol::Event& event) {
  if (const auto* hello = std::get_if<protocol::Hello>(&event)) return hello->version == protocol::kVersion;
  {
    const std::lock_guard lock(mutex_);
    std::visit(
        [this](const auto& e) {
          using E = std::decay_t<decltype(e)>;
          if constexpr (requires { e.id; } && !std::is_same_v<E, protocol::Restoring>) {
            if (e.id == restoring_id_) restoring_.clear();
          }
          if constexpr (!std::is_same_v<E, protocol::Hello>) note(e, steady_ms());
        },
        event);
    if (stopping_ && !counts_at_the_end(event)) return true;
    last_sign_ms_ = steady_ms();
  }
  std::visit(
      [this](const auto& e) {
        if constexpr (std::is_same_v<std::decay_t<decltype(e)>, protocol::Loaded>) tell(WorkerReady{e.model});
        if constexpr (requires { WorkerEvent(e); }) tell(e);
      },
      event);
  return true;
}

void WorkerProcess::post(const protocol::Command& command, UniqueFd fd) {
  std::string bytes = protocol::encode(command);
  const std::lock_guard lock(mutex_);
  if (const RequestId id = refusable(command); id != 0 && refuse(id, bytes.size())) return;
  if (writer_ != nullptr) writer_->post(std::move(bytes), std::move(fd));
}

// What one request asks must not close the channel for all. Caller holds the mutex.
bool WorkerProcess::refuse(RequestId id, size_t bytes) {
  const bool too_large = bytes > options_.frame_limit_bytes;
  if (!too_large && (writer_ == nullptr || writer_->has_room(bytes + kReservedBytes))) return false;
  protocol::Failed failed{.id = id, .code = ErrorCode::kTooLarge, .message = "the prompt and its caches are too large"};
  if (!too_large) failed = {.id = id, .code = ErrorCode::kQueueFull, .message = "too many prompts wait for the model"};
  watch_.ended(id, steady_ms());
  refused_.push_back(std::move(failed));
  return true;
}

// On a thread of ours, because commands may be posted under the sink's locks.
void WorkerProcess::tell_refused() {
  std::vector<protocol::Failed> refused;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    refused.swap(refused_);
  }
  for (const protocol::Failed& failed : refused) tell(failed);
}

void WorkerProcess::tell(const WorkerEvent& event) {
  const std::lock_guard lock(telling_);
  sink_(event);
}

void WorkerProcess::prepare(const protocol::Prepare& command) {
  {
    const std::lock_guard lock(mutex_);
    watch_.prepare_asked(command.id, prompt_bytes(command), steady_ms());
  }
  post(command);
}

void WorkerProcess::start(const protocol::Start& command, UniqueFd state) {
  {
    const std::lock_guard lock(mutex_);
    watch_.start_asked(command.id, command.credit, file_bytes(state), steady_ms());
  }
  post(command, std::move(state));
}

void WorkerProcess::cancel(RequestId id) {
  {
    const std::lock_guard lock(mutex_);
    watch_.ended(id, steady_ms());
  }
  post(protocol::Cancel{id});
}

void WorkerProcess::add_credit(RequestId id, uint32_t tokens) {
  {
    const std::lock_guard lock(mutex_);
    watch_.credit_added(id, tokens, steady_ms());
  }
  post(protocol::Credit{id, tokens});
}

void WorkerProcess::lend(const protocol::Lend& command, UniqueFd state) {
  {
    const std::lock_guard lock(mutex_);
    watch_.lent(command.id, command.state.tokens, steady_ms());
  }
  post(command, std::move(state));
}

void WorkerProcess::save_state(const protocol::SaveState& command, UniqueFd file) {
  {
    const std::lock_guard lock(mutex_);
    watch_.save_asked(command.id, steady_ms(), content_bytes(command.line));
  }
  post(command, std::move(file));
}

void WorkerProcess::ask(const protocol::Ask& command) {
  {
    const std::lock_guard lock(mutex_);
    const uint64_t bytes = std::visit([](const auto& question) { return question_bytes(question); }, command.question);
    watch_.question_asked(command.id, bytes, steady_ms());
  }
  post(command);
}

void WorkerProcess::know_states(const protocol::KnownStates& command) {
  if (loaded()) post(command);
}

void WorkerProcess::keep(const protocol::Keep& command, UniqueFd file) {
  if (!loaded()) return;
  {
    const std::lock_guard lock(mutex_);
    const auto offered = offered_bytes_.extract(command.offer);
    if (file.valid()) watch_.write_asked(command.id, offered ? offered.mapped() : 0, steady_ms());
  }
  post(command, std::move(file));
}

bool WorkerProcess::loaded() {
  const std::lock_guard lock(mutex_);
  return loaded_;
}

}  // namespace rockllama
