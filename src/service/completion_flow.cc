#include "service/completion_flow.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/one_line.h"
#include "service/model_choice.h"
#include "service/ready_wait.h"
#include "service/state_builder.h"
#include "service/state_name.h"

namespace rockllama {
namespace {

constexpr double kShortestCheckMs = 10;
constexpr const char* kUncounted = "prompt_tokens is not known: this runtime reports no token counts";

std::string unusable(const std::string& name, const Error& error) {
  const bool missing = error.code == ErrorCode::kNotFound && error.param.empty();
  const std::string why =
      missing ? "there is no usable cache '" + name + "'" : "cache '" + name + "' cannot serve: " + error.message;
  return why + "; answered without it";
}

// What the request asks for and this engine has no use for; what the model has by default is no wish.
std::string ignored_fields(const SamplingParams& sampling, const ModelSpec& spec, const LoadedModel& model) {
  std::string fields;
  for (const std::string& field : differing_fields(sampling, spec.sampling_defaults)) {
    const auto& ignored = model.ignored_sampling;
    if (std::find(ignored.begin(), ignored.end(), field) != ignored.end())
      fields += (fields.empty() ? "" : ", ") + field;
  }
  return fields;
}

// What would change the answer and this engine cannot do.
std::optional<Error> refused(const CompletionRequest& request, const Capabilities& capabilities) {
  const auto refusal = [](const std::string& what, const char* param) {
    return Error{ErrorCode::kUnsupported, what + " not supported by this model's engine", param};
  };
  if (request.options.top_logprobs && !capabilities.logprobs) return refusal("logprobs are", "logprobs");
  const auto* chat = std::get_if<ChatPrompt>(&request.prompt);
  if (chat == nullptr || capabilities.grammar) return std::nullopt;
  if (!chat->answer_schema.empty() && !request.make_answer_check)
    return refusal("an answer in JSON is", "response_format");
  if (chat->tool_choice == ToolChoice::kRequired)
    return refusal("tool_choice other than auto and none is", "tool_choice");
  return std::nullopt;
}

}  // namespace

CompletionFlow::CompletionFlow(ServiceContext* context, CompletionRequest request, uint32_t credit, CompletionSink sink)
    : context_(context),
      request_(std::move(request)),
      credit_(credit),
      sink_(std::move(sink)),
      began_ms_(steady_ms()) {}

void CompletionFlow::begin() {
  context_->executor->post([self = shared_from_this()] { self->find_model(); });
}

void CompletionFlow::find_model() {
  auto choice = choose_model(context_, request_.model);
  if (!choice) return end(choice.error());
  if (!choice->alias_cache.empty()) {
    default_caches_ = {choice->alias_cache};
  } else if (!brings_system_message()) {
    const std::string& own = choice->entry.default_cache;
    const std::string& name = own.empty() ? context_->options.default_cache : own;
    if (!name.empty()) default_caches_ = {name};
  }
  {
    const std::lock_guard lock(mutex_);
    model_ = choice->entry.spec.name;
  }
  request_.options.sampling = merged(request_.options.sampling, choice->entry.spec.sampling_defaults);
  if (request_.options.max_tokens < 0) request_.options.max_tokens = choice->entry.spec.default_max_tokens;
  const auto abandoned = [self = shared_from_this()] {
    const std::lock_guard lock(self->mutex_);
    return self->ended_;
  };
  const auto acquired = [self = shared_from_this()](Result<ModelLease> lease) {
    if (!lease) return self->end(lease.error());
    {
      const std::lock_guard lock(self->mutex_);
      if (self->ended_) return;
      self->lease_ = std::move(*lease);
    }
    self->context_->executor->post([self] { self->find_caches(); });
  };
  context_->pool->acquire(choice->entry, acquired, abandoned);
}

bool CompletionFlow::brings_system_message() const {
  const auto* chat = std::get_if<ChatPrompt>(&request_.prompt);
  return chat == nullptr || std::any_of(chat->messages.begin(), chat->messages.end(),
                                        [](const ChatMessage& message) { return message.role == "system"; });
}

StateFormat CompletionFlow::format() const {
  return std::holds_alternative<ChatPrompt>(request_.prompt) ? StateFormat::kChat : StateFormat::kRaw;
}

std::vector<std::string> CompletionFlow::wanted_caches() const {
  return request_.use_cache.empty() && request_.use_cache_problem.empty() ? default_caches_ : request_.use_cache;
}

void CompletionFlow::find_caches() {
  ModelLease lease;
  {
    const std::lock_guard lock(mutex_);
    lease = lease_;
  }
  if (!lease) return;  // cancelled meanwhile
  if (const auto refusal = refused(request_, lease->model().capabilities)) return end(*refusal);
  if (Status checkable = check_afterwards(lease->model().capabilities); !checkable) return end(checkable.error());
  if (!request_.use_cache_problem.empty()) warnings_.push_back(request_.use_cache_problem);
  for (const std::string& name : wanted_caches()) {
    auto reference = context_->store->reference(model_, name, format(), lease->fingerprint());
    if (reference) {
      references_.push_back(std::move(*reference));
    } else {
      warnings_.push_back(unusable(name, reference.error()));
    }
  }
  if (references_.empty()) find_cache_by_text(lease);
  ignored_sampling_ = ignored_fields(request_.options.sampling, lease->entry().spec, lease->model());
  for (const std::string& warning : warnings_) {
    spdlog::warn("request {}: {}", one_line(request_.request_id), one_line(warning));
  }
  submit();
}

// Where no grammar can hold the answer to the schema.
Status CompletionFlow::check_afterwards(const Capabilities& capabilities) {
  auto* chat = std::get_if<ChatPrompt>(&request_.prompt);
  if (chat == nullptr || chat->answer_schema.empty() || capabilities.grammar) return {};
  auto check = request_.make_answer_check();
  if (!check) return fail(check.error());
  checked_.emplace(std::move(*check));
  CheckedAnswer::ask_in_words(chat);
  return {};
}

// For a worker without a tokenizer; others find it by its tokens.
void CompletionFlow::find_cache_by_text(const ModelLease& lease) {
  if (request_.options.reuse == ReusePolicy::kNone || !lease->entry().spec.automatic_reuse) return;
  auto* raw = std::get_if<TextPrompt>(&request_.prompt);
  if (raw != nullptr && (!raw->tokens.empty() || !raw->suffix.empty() || raw->echo)) return;
  const auto name = lease->states().cache_of(request_.prompt);
  if (!name) return;
  auto reference = context_->store->reference(model_, *name, format(), lease->fingerprint());
  if (!reference || reference->line.size() != 1 || !reference->line.front().is_text()) return;
  const std::string& cached = reference->line.front().text;
  if (raw != nullptr) {
    // The cache's text will stand before the prompt.
    if (!raw->text.starts_with(cached)) return;
    raw->text.erase(0, cached.size());
  } else if (std::get<ChatPrompt>(request_.prompt).messages.front().content != cached) {
    return;
  }
  references_.push_back(std::move(*reference));
}

void CompletionFlow::submit() {
  ModelLease lease;
  const RequestId id = context_->next_id();
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_ || ended_) return;
    id_ = id;
    lease = lease_;
    fingerprint_ = lease->fingerprint();
    host_ = lease.host();
    submitted_ms_ = steady_ms();
  }
  check_wait_after(context_->options.load_timeout_s * 1000);
  lease->scheduler().submit({id, request_.prompt, request_.options, references_, request_.salt},
                            [self = shared_from_this()](const JobEvent& event) { self->on_event(event); },
                            {.buffered = request_.buffered || checked_,
                             .origin = {.caller = request_.caller, .prefix_key = request_.prefix_key}});
  bool cancelled = false;
  {
    const std::lock_guard lock(mutex_);
    cancelled = cancelled_;
  }
  if (cancelled) lease->scheduler().cancel(id);  // a cancel that came before the scheduler knew the request
}

void CompletionFlow::check_wait_after(double wait_ms) {
  context_->executor->post_after(static_cast<int64_t>(std::ceil(wait_ms)), [weak = weak_from_this()] {
    if (const auto flow = weak.lock()) flow->check_wait();
  });
}

// A loss between two checks is found by the next one, still in time.
void CompletionFlow::check_wait() {
  const double limit_ms = context_->options.load_timeout_s * 1000;
  double left_ms = 0;
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || !lease_) return;
    left_ms = remaining_wait_ms(lease_->scheduler().not_ready_since_ms(), submitted_ms_, steady_ms(), limit_ms);
    timed_out_ = left_ms <= 0;
  }
  if (left_ms <= 0) return cancel();
  check_wait_after(std::max(left_ms, kShortestCheckMs));
}

void CompletionFlow::on_event(const JobEvent& event) {
  if (const auto* prepared = std::get_if<protocol::Prepared>(&event)) {
    context_->executor->post([self = shared_from_this(), prepared = *prepared] { self->start(prepared); });
  } else if (const auto* started = std::get_if<protocol::Started>(&event)) {
    on_started(*started);
  } else if (const auto* progress = std::get_if<protocol::Progress>(&event)) {
    sink_(CompletionProgress{progress->done_tokens, progress->total_tokens});
  } else if (const auto* tokens = std::get_if<protocol::Tokens>(&event)) {
    on_tokens(*tokens);
  } else if (const auto* finished = std::get_if<protocol::Finished>(&event)) {
    on_finished(*finished);
  } else if (const auto* error = std::get_if<Error>(&event)) {
    if (!first_try_ || error->code == ErrorCode::kCancelled) return on_error(*error);
    tell_first_try();
  }
}

void CompletionFlow::start(const protocol::Prepared& prepared) {
  ModelLease lease;
  std::shared_ptr<ModelHost> host;
  {
    const std::lock_guard lock(mutex_);
    lease = lease_;
    host = host_.lock();
  }
  if (!lease) {
    // Nobody would ever start it, and what is run again alone would wait for it.
    if (host) host->scheduler().cancel(prepared.id);
    return;
  }
  if (request_.only_count) return end_counted(lease, prepared);
  no_state_reason_.clear();
  cache_ = prepared.cache;
  prompt_tokens_ = prepared.prompt_tokens;
  state_tokens_ = prepared.prompt_tokens - prepared.prefill_tokens;
  UniqueFd file;
  state_ = prepared.state;
  for (const StateKey& key : state_) file = open_state(lease, key);
  if (prepared.state_outdated) {
    for (const CacheReference& reference : references_) {
      if (reference.name != prepared.cache.name || !reference.state) continue;
      (void)context_->store->mark_stale(model_, reference.name, format(), *reference.state, prepared.cache.reason);
    }
  }
  lease->scheduler().start(prepared.id, std::move(file), credit_);
}

// What was prepared is given up.
void CompletionFlow::end_counted(const ModelLease& lease, const protocol::Prepared& prepared) {
  if (prepared.prompt_tokens != 0) {
    end(CompletionCounted{model_, prepared.prompt_tokens});
  } else {
    end(Error{ErrorCode::kUnsupported, "this model's tokens are counted by its runtime alone, when it runs", ""});
  }
  lease->scheduler().cancel(prepared.id);
}

// Of a cache that was asked for, of one that the worker found, or an automatic one. Invalid where it does not serve.
UniqueFd CompletionFlow::open_state(const ModelLease& lease, const StateKey& key) {
  const auto named = parse_state_id(key.id);
  auto opened = named ? context_->store->open_state(model_, named->cache, named->format, key)
                      : context_->store->open_automatic(model_, key);
  if (opened) return std::move(opened->file);
  no_state_reason_ = opened.error().message;
  if (named) {
    const auto now = context_->store->reference(model_, named->cache, named->format, lease->fingerprint());
    if (now && !now->reason.empty()) no_state_reason_ = now->reason;
  }
  const ErrorCode code = opened.error().code;
  if (code == ErrorCode::kNotFound || code == ErrorCode::kCorrupt) lease->states().withdraw(key.id);
  return {};
}

void CompletionFlow::on_started(const protocol::Started& started) {
  first_text_ms_ = 0;
  if (checked_) checked_->begin();
  take_use(started.cache);
  sink_(CompletionStarted{model_, cache_, prompt_tokens_, fingerprint_});
}

void CompletionFlow::take_use(const CacheUse& use) {
  const CacheUse before = std::exchange(cache_, use);
  // A longer piece of an earlier conversation is no state of a cache.
  const bool chosen = before.provisional || use.tokens == state_tokens_;
  if (use.provisional || (reused(use) && chosen)) cache_.state_of = before.state_of;
  const bool unused = cache_.tier == CacheTier::kText || cache_.tier == CacheTier::kNone;
  if (unused && !no_state_reason_.empty()) cache_.reason = no_state_reason_;
  if (cache_.name.empty() && cache_.reason.empty() && !warnings_.empty()) cache_.reason = warnings_.front();
  const bool served_none = cache_.name.empty() && !references_.empty() && !cache_.reason.empty();
  if (served_none && std::find(warnings_.begin(), warnings_.end(), cache_.reason) == warnings_.end()) {
    warnings_.push_back(cache_.reason);
    spdlog::warn("request {}: {}", one_line(request_.request_id), one_line(cache_.reason));
  }
}

void CompletionFlow::on_tokens(const protocol::Tokens& tokens) {
  if (checked_) {
    checked_->add(tokens.piece);
    return sink_(CompletionText{{}, tokens.count});
  }
  if (first_text_ms_ == 0 && !tokens.piece.says_nothing()) first_text_ms_ = steady_ms();
  sink_(CompletionText{tokens.piece, tokens.count});
}

// The caches' part comes after the answer: the store may be busy with a commit for seconds, and this is the worker's
// thread.
void CompletionFlow::on_finished(const protocol::Finished& finished) {
  ModelLease lease;
  {
    const std::lock_guard lock(mutex_);
    lease = lease_;
  }
  if (finished.cache) take_use(*finished.cache);
  if (checked_ && !tell_checked(finished)) return;
  end(done_with(finished));
  count_use();
  if (lease && cache_.state_refused) {
    context_->executor->post([self = shared_from_this(), lease] {
      self->withdraw_refused_state(lease);
      self->rebuild_missing_state(lease);
    });
  } else {
    rebuild_missing_state(lease);
  }
}

// False where it is asked for again.
bool CompletionFlow::tell_checked(const protocol::Finished& finished) {
  if (!checked_->settle(finished.reason, &std::get<ChatPrompt>(request_.prompt))) {
    first_try_ = FirstTry{finished, cache_};
    context_->executor->post([self = shared_from_this()] { self->submit(); });
    return false;
  }
  warnings_.push_back(checked_->warning());
  first_text_ms_ = steady_ms();
  sink_(CompletionText{checked_->told(), 0});
  return true;
}

// The second try failed; what was said before is still an answer.
void CompletionFlow::tell_first_try() {
  const FirstTry first = *std::exchange(first_try_, std::nullopt);
  checked_->settle_with_first();
  cache_ = first.cache;
  warnings_.push_back(checked_->warning());
  sink_(CompletionText{checked_->told(), 0});
  end(done_with(first.finished));
}

// Its checksum was right, and the engine cannot use it all the same.
void CompletionFlow::withdraw_refused_state(const ModelLease& lease) {
  for (const StateKey& key : state_) {
    const auto named = parse_state_id(key.id);
    (void)(named ? context_->store->quarantine(model_, named->cache, named->format, key, cache_.reason)
                 : context_->store->quarantine_automatic(model_, key.id, cache_.reason));
    lease->states().withdraw(key.id);
  }
}

CompletionDone CompletionFlow::done_with(const protocol::Finished& finished) const {
  const double now = steady_ms();
  CompletionDone done{.reason = finished.reason, .model = model_, .usage = finished.usage, .cache = cache_};
  // Both tries cost; the prompt and its cache are those that the client asked for.
  if (first_try_) {
    done.cache = first_try_->cache;
    done.usage = first_try_->finished.usage;
    done.usage.completion_tokens += finished.usage.completion_tokens;
    done.usage.prefill_ms += finished.usage.prefill_ms;
    done.usage.decode_ms += finished.usage.decode_ms;
  }
  done.warnings = warnings_;
  if (!ignored_sampling_.empty()) {
    done.warnings.push_back("this model's runtime keeps what it was loaded with; without effect: " + ignored_sampling_);
  }
  if (finished.usage.prompt_tokens == 0) done.warnings.emplace_back(kUncounted);
  done.ttft_ms = (first_text_ms_ == 0 ? now : first_text_ms_) - began_ms_;
  done.total_ms = now - began_ms_;
  const Usage& usage = done.usage;
  if (usage.completion_tokens > 1 && usage.decode_ms > 0) {
    done.tokens_per_second = (usage.completion_tokens - 1) / usage.decode_ms * 1000;
  }
  return done;
}

void CompletionFlow::count_use() {
  if (cache_.name.empty()) return;
  context_->executor->post([store = context_->store, model = model_, cache = cache_, hit = reused(cache_)] {
    store->touch(model, cache.name, hit && cache.state_of.empty());
    if (!cache.state_of.empty()) store->touch(model, cache.state_of, hit);
  });
}

void CompletionFlow::rebuild_missing_state(const ModelLease& lease) {
  const bool missing = cache_.tier == CacheTier::kText || !cache_.state_of.empty();
  if (cache_.name.empty() || !missing || request_.options.reuse == ReusePolicy::kNone) return;
  if (lease) context_->builder->rebuild(lease.host(), cache_.name, format(), std::make_shared<ModelLease>(lease));
}

void CompletionFlow::on_error(Error error) {
  {
    const std::lock_guard lock(mutex_);
    if (timed_out_) error = {ErrorCode::kUnavailable, "model " + model_ + " is not ready", "", 5};
  }
  end(error);
}

void CompletionFlow::end(const CompletionEvent& last) {
  ModelLease lease;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    lease = std::move(lease_);
  }
  sink_(last);
}

void CompletionFlow::cancel() {
  RequestId id = 0;
  ModelLease lease;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    cancelled_ = true;
    id = id_;
    lease = lease_;
  }
  if (id != 0 && lease) lease->scheduler().cancel(id);
  on_error({ErrorCode::kCancelled, "cancelled"});
}

void CompletionFlow::add_credit(uint32_t tokens) {
  ModelLease lease;
  {
    const std::lock_guard lock(mutex_);
    lease = lease_;
  }
  if (lease) lease->scheduler().add_credit(id_, tokens);
}

}  // namespace rockllama
