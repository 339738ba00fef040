#include "tests/support/service_fixture.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>
#include <utility>

#include "base/posix_file_system.h"

namespace rockllama::test {
namespace {

// Answers by itself, on a thread of its own, as the script says.
class AnsweringWorker : public ModelWorker {
 public:
  AnsweringWorker(std::string model, WorkerSink sink, std::shared_ptr<WorkerScript> script,
                  std::function<void(std::string)> say)
      : model_(std::move(model)), sink_(std::move(sink)), script_(std::move(script)), say_(std::move(say)) {
    say_("load " + model_);
    thread_.post([this] { load(); });
  }

  void prepare(const protocol::Prepare& command) override {
    thread_.post([this, command] {
      protocol::Prepared prepared{.id = command.id, .prompt_tokens = 10};
      if (const auto* text = std::get_if<TextPrompt>(&command.prompt)) say_("prompt " + text->text);
      if (command.caches.empty() && script_->finds_states && !known_.empty()) {
        const KnownState& found = known_.begin()->second;
        prepared.cache.name = found.name;
        prepared.state = {found.key};
      }
      for (const CacheReference& cache : command.caches) {
        prepared.cache = {.name = cache.name, .reason = cache.reason};
        if (cache.state && command.options.reuse != ReusePolicy::kNone) prepared.state = {*cache.state};
      }
      prepared_ = prepared;
      sink_(prepared);
    });
  }
  void start(const protocol::Start& command, UniqueFd state) override {
    thread_.post([this, id = command.id, with_state = state.valid()] { answer(id, with_state); });
  }
  void cancel(RequestId) override { say_("cancel " + model_); }
  void add_credit(RequestId, uint32_t) override {}
  void lend(const protocol::Lend& command, UniqueFd) override { say_("lend " + command.state.id); }
  void save_state(const protocol::SaveState& command, UniqueFd file) override {
    say_(std::string("save ") + to_string(command.format));
    const bool written = ::write(file.get(), script_->payload.data(), script_->payload.size()) > 0;
    thread_.post([this, command, written] { finish_save(command, written); });
  }
  void ask(const protocol::Ask& command) override {
    thread_.post([this, command] { answer_question(command); });
  }
  void know_states(const protocol::KnownStates& states) override {
    say_("known " + std::string(states.reset ? "reset " : "") + "+" + std::to_string(states.added.size()) + " -" +
         std::to_string(states.removed.size()));
    thread_.post([this, states] {
      if (states.reset) known_.clear();
      for (const std::string& id : states.removed) known_.erase(id);
      for (const KnownState& state : states.added) known_[state.key.id] = state;
    });
  }
  void keep(const protocol::Keep& command, UniqueFd file) override {
    say_(file.valid() ? "keep" : "let go");
    if (!file.valid() || script_->hold_saves) return;
    const bool written = ::write(file.get(), script_->payload.data(), script_->payload.size()) > 0;
    thread_.post([this, command, written] { report_saved(command.id, "offered", written); });
  }
  WorkerLog log() override { return {.lines = script_->log}; }
  void stop() override {
    for (const protocol::Offered& offer : script_->last_offers) sink_(offer);
    say_("stop " + model_);
    if (script_->in_stop) script_->in_stop();
    thread_.stop();
  }

 private:
  // A vector of two values for each input.
  void answer_question(const protocol::Ask& command) {
    say_("ask " + model_);
    if (script_->deaths_on_question > 0) {
      --script_->deaths_on_question;
      sink_(WorkerLost{.reason = "it fell over"});
      return load();
    }
    if (script_->hold_answers) return;
    const size_t inputs = std::get<EmbeddingsQuestion>(command.question).inputs.size();
    sink_(protocol::Answered{command.id, Embeddings{std::vector<std::vector<float>>(inputs, {0.6F, 0.8F}), 10}});
  }
  void load() {
    if (script_->in_load) script_->in_load();
    if (script_->crashes_for_good > 0) {
      --script_->crashes_for_good;
      return sink_(WorkerLost{.kind = LossKind::kCrash, .reason = "it fell over", .final = true});
    }
    if (script_->load_fails) return sink_(WorkerLost{.kind = LossKind::kNoLoad, .reason = "bad file", .final = true});
    LoadedModel model{
        .context_tokens = 100, .engine_fingerprint = script_->engine_fingerprint, .has_chat_template = true};
    model.ignored_sampling = script_->ignored_sampling;
    model.capabilities = {.max_parallel = 4, .token_counts = script_->token_counts, .state_save = script_->state_save};
    sink_(WorkerReady{model});
  }
  void answer(RequestId id, bool with_state) {
    say_("start " + model_ + (with_state ? " state" : " text"));
    if (with_state && !script_->dies_restoring.empty()) {
      sink_(WorkerLost{.reason = script_->dies_restoring, .restoring = prepared_.state.front().id});
      return load();
    }
    if (script_->dies_for_good) {
      return sink_(WorkerLost{.kind = LossKind::kNoLoad, .reason = "it is gone", .final = true});
    }
    if (script_->deaths_on_start > 0) {
      --script_->deaths_on_start;
      sink_(WorkerLost{.reason = "it fell over"});
      return load();
    }
    CacheUse use = prepared_.cache;
    if (!use.name.empty()) use.tier = CacheTier::kText;
    if (with_state && script_->refused_states > 0) {
      --script_->refused_states;
      with_state = false;
      use.state_refused = true;
      use.reason = "The state has the wrong size.";
    }
    if (with_state) use.tier = CacheTier::kDisk;
    use.tokens = with_state ? 7 : 0;
    protocol::Finished finished{id, FinishReason::kStop, {.prompt_tokens = 10, .completion_tokens = 1}};
    if (script_->tells_use_at_end) {
      finished.cache = std::exchange(use, {.name = use.name, .tier = CacheTier::kText, .provisional = true});
    }
    sink_(protocol::Started{id, use});
    if (script_->hold_answers) return;
    sink_(protocol::Tokens{id, 1, {"hello"}});
    sink_(finished);
  }
  void finish_save(const protocol::SaveState& command, bool written) {
    if (script_->in_save) script_->in_save();
    if (script_->hold_saves) {
      script_->held_save = command.id;
      return;
    }
    if (script_->deaths_on_save > 0) {
      --script_->deaths_on_save;
      sink_(WorkerLost{.reason = "it fell over"});
      return load();
    }
    if (script_->failing_saves == 0) script_->save_error.reset();
    report_saved(command.id, command.line.back().text, written);
  }
  void report_saved(RequestId id, const std::string& text, bool written) {
    if (script_->save_error || !written) {
      --script_->failing_saves;
      const Error error = script_->save_error.value_or(Error{});
      return sink_(protocol::Failed{id, error.code, error.message, ""});
    }
    SavedState saved{.tokens = 7, .token_hash = hash_bytes(text), .bytes = script_->payload.size(), .cuts = {7}};
    sink_(protocol::StateSaved{id, saved});
  }

  std::string model_;
  WorkerSink sink_;
  std::shared_ptr<WorkerScript> script_;
  std::function<void(std::string)> say_;
  protocol::Prepared prepared_;
  std::map<std::string, KnownState> known_;  // by id
  Executor thread_{1};
};

}  // namespace

ServiceFixture::ServiceFixture() : files(make_posix_file_system()) {
  std::string path = (std::filesystem::temp_directory_path() / "rockllama-service-XXXXXX").string();
  folder = ::mkdtemp(path.data());
  std::filesystem::create_directories(folder + "/models");
  add_model("m");
}

ServiceFixture::~ServiceFixture() {
  if (service) service->stop();
  if (executor) executor->stop();
  service.reset();
  store.reset();
  std::filesystem::remove_all(folder);
}

void ServiceFixture::add_model(const std::string& name) {
  std::filesystem::create_directories(folder + "/models/" + name);
  std::ofstream(folder + "/models/" + name + "/model.gguf") << "weights of " << name;
}

void ServiceFixture::begin() {
  registry =
      std::make_unique<ModelRegistry>(files.get(), folder + "/models", folder + "/memo.json", ModelSpec{}, false);
  auto opened = CacheStore::open(files.get(), folder + "/cache");
  ASSERT_TRUE(opened) << opened.error().message;
  store = std::move(*opened);
  executor = std::make_unique<Executor>(2);
  service = std::make_unique<Service>(options, registry.get(), store.get(), executor.get(), worker_factory());
}

WorkerFactory ServiceFixture::worker_factory() {
  return [this](const ModelSpec& spec, uint64_t, WorkerSink sink) -> std::unique_ptr<ModelWorker> {
    {
      const std::lock_guard lock(said_mutex);
      sinks[spec.name] = sink;
    }
    return std::make_unique<AnsweringWorker>(spec.name, std::move(sink), script, [this](std::string what) {
      const std::lock_guard lock(said_mutex);
      (what.starts_with("known") ? told_states : *said).push_back(std::move(what));
    });
  };
}

void ServiceFixture::tell(const std::string& model, const WorkerEvent& event) {
  WorkerSink sink;
  {
    const std::lock_guard lock(said_mutex);
    sink = sinks.at(model);
  }
  sink(event);
}

CompletionRequest ServiceFixture::chat(const std::string& text, std::vector<std::string> caches) {
  return {.model = "m", .prompt = ChatPrompt{.messages = {{"user", text}}}, .use_cache = std::move(caches)};
}

CompletionEvent ServiceFixture::run(CompletionRequest request) {
  auto last = std::make_shared<std::promise<CompletionEvent>>();
  service->completions().run(std::move(request), 100, [last](const CompletionEvent& event) {
    if (std::holds_alternative<CompletionDone>(event) || std::holds_alternative<Error>(event)) last->set_value(event);
  });
  return last->get_future().get();
}

CompletionDone ServiceFixture::complete(CompletionRequest request) {
  const CompletionEvent event = run(std::move(request));
  if (const auto* error = std::get_if<Error>(&event)) ADD_FAILURE() << error->message;
  const auto* done = std::get_if<CompletionDone>(&event);
  return done == nullptr ? CompletionDone{} : *done;
}

Error ServiceFixture::fail_to_complete(CompletionRequest request) {
  const CompletionEvent event = run(std::move(request));
  const auto* error = std::get_if<Error>(&event);
  if (error == nullptr) ADD_FAILURE() << "it was answered";
  return error == nullptr ? Error{} : *error;
}

Result<CacheCreated> ServiceFixture::create(CreateCache request) {
  std::promise<Result<CacheCreated>> created;
  service->caches().create(std::move(request), {}, [&](Result<CacheCreated> result) { created.set_value(result); });
  return created.get_future().get();
}

bool ServiceFixture::wait_until(const std::function<bool()>& condition) {
  for (int i = 0; i < 6000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return condition();
}

}  // namespace rockllama::test
