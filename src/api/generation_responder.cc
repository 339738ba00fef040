#include "api/generation_responder.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "api/best_choices.h"
#include "api/completion_totals.h"
#include "api/errors.h"
#include "api/usage_json.h"

namespace rockllama::api {
namespace {

// Credit goes back in portions: a frame to the worker for each token would cost more than it holds back.
constexpr uint32_t kCreditPortion = 32;

}  // namespace

GenerationResponder::GenerationResponder(const Options& options, std::unique_ptr<AnswerEncoder> encoder,
                                         std::shared_ptr<http::BodyWriter> writer)
    : writer_(std::move(writer)),
      stream_(options.stream),
      told_(options.choices),
      candidates_(options.candidates == 0 ? told_ : options.candidates),
      encoder_(std::move(encoder)),
      log_{.request_id = options.request_id, .caller = options.caller, .model = options.model},
      choices_(options.prompts * candidates_) {
  encoder_->set_model(options.model, "");
}

void GenerationResponder::attach(Control control) {
  std::vector<Credit> credits;
  bool cancel = false;
  {
    const std::lock_guard lock(mutex_);
    control_ = std::move(control);
    attached_ = true;
    cancel = closed_ || failed_;
    credits = take_credit();
  }
  reach_back(credits, cancel);
}

void GenerationResponder::on_event(const CompletionEvent& event, uint32_t choice) {
  std::vector<Credit> credits;
  bool cancel = false;
  {
    const std::lock_guard lock(mutex_);
    if (over_) return;
    if (const auto* start = std::get_if<CompletionStarted>(&event)) started(*start, choices_[choice]);
    if (const auto* piece = std::get_if<CompletionText>(&event)) text(*piece, choice);
    if (const auto* end = std::get_if<CompletionDone>(&event)) done(*end, choice);
    if (const auto* error = std::get_if<Error>(&event)) failed(*error);
    credits = take_credit();
    cancel = attached_ && failed_ && choices_.size() > 1;
  }
  reach_back(credits, cancel);
}

void GenerationResponder::on_closed() {
  bool cancel = false;
  {
    const std::lock_guard lock(mutex_);
    if (over_ || closed_) return;
    closed_ = true;
    cancel = attached_;
  }
  reach_back({}, cancel);
}

void GenerationResponder::on_drained() {
  std::vector<Credit> credits;
  {
    const std::lock_guard lock(mutex_);
    credits = take_credit();
  }
  reach_back(credits, false);
}

void GenerationResponder::reach_back(const std::vector<Credit>& credits, bool cancel) const {
  if (cancel) control_.cancel();
  for (const Credit& credit : credits) control_.add_credit(credit.choice, credit.tokens);
}

bool GenerationResponder::heartbeat() {
  const std::lock_guard lock(mutex_);
  if (over_ || closed_ || !stream_) return false;
  // A client that does not read gets no more to read.
  if (quiet_ && writer_->pending_bytes() == 0) {
    send_head(nullptr);
    writer_->write(": heartbeat\n\n");
  }
  quiet_ = true;
  return true;
}

void GenerationResponder::started(const CompletionStarted& event, Choice& choice) {
  // Also of a request that begins anew: its worker died, and with it what came before.
  choice.answer = {};
  choice.owed = 0;
  choice.tokens = 0;
  log_.model = event.model;
  log_.cache = event.cache;
  log_.prompt_tokens = event.prompt_tokens;
  encoder_->set_model(event.model, event.fingerprint);
  if (stream_) send_head(event.cache.provisional ? nullptr : &event.cache);
}

void GenerationResponder::text(const CompletionText& event, uint32_t index) {
  Choice& choice = choices_[index];
  choice.owed += event.tokens;
  choice.tokens += event.tokens;
  if (!stream_) return choice.answer.add(event.piece);
  if (event.piece.says_nothing()) return;
  std::string events = opening(index);
  send(std::move(events.append(encoder_->piece(index, event.piece))));
}

void GenerationResponder::done(const CompletionDone& event, uint32_t index) {
  Choice& choice = choices_[index];
  choice.done = event;
  choice.answer.reason = event.reason;
  std::vector<CompletionDone> ends;
  for (const Choice& one : choices_) {
    if (one.done) ends.push_back(*one.done);
  }
  const bool last = ends.size() == choices_.size();
  const CompletionDone total = last ? total_of(ends, candidates_) : CompletionDone();
  if (stream_) {
    send_head(&event.cache);
    std::string events = opening(index);
    send(std::move(events.append(encoder_->choice_ending(index, event.reason, total.warnings))));
  }
  if (last) all_done(total);
}

void GenerationResponder::all_done(const CompletionDone& total) {
  log_.model = total.model;
  log_.cache = total.cache;
  log_.prompt_tokens = total.usage.prompt_tokens;
  log_.ttft_ms = total.ttft_ms;
  log_.total_ms = total.total_ms;
  log_.tokens_per_second = total.tokens_per_second;
  if (stream_) {
    send(encoder_->ending(total));
    writer_->finish();
  } else {
    std::vector<ChoiceAnswer> answers;
    for (Choice& choice : choices_) answers.push_back(std::move(choice.answer));
    http::ResponseHead head;
    head.headers.emplace_back("x-prompt-cache", prompt_cache_header(total.cache));
    writer_->respond(std::move(head), encoder_->whole(best_choices(std::move(answers), candidates_, told_), total));
  }
  log();
}

void GenerationResponder::failed(const Error& error) {
  failed_ = true;
  log_.status = status_of(error.code);
  log_.error = error.message;
  if (head_sent_) {
    send(encoder_->failure(error));
    writer_->finish();
  } else {
    respond_error(*writer_, error);
  }
  log();
}

void GenerationResponder::send_head(const CacheUse* cache) {
  if (head_sent_) return;
  head_sent_ = true;
  http::ResponseHead head{.content_type = "text/event-stream", .headers = {{"Cache-Control", "no-cache"}}};
  if (cache != nullptr) head.headers.emplace_back("x-prompt-cache", prompt_cache_header(*cache));
  writer_->begin(std::move(head));
}

void GenerationResponder::send(std::string bytes) {
  send_head(nullptr);
  writer_->write(std::move(bytes));
  quiet_ = false;
}

std::string GenerationResponder::opening(uint32_t choice) {
  return std::exchange(choices_[choice].opened, true) ? std::string() : encoder_->opening(choice);
}

std::vector<GenerationResponder::Credit> GenerationResponder::take_credit() {
  std::vector<Credit> credits;
  if (!attached_ || over_) return credits;
  for (uint32_t i = 0; i < choices_.size(); ++i) {
    if (choices_[i].owed < kCreditPortion || choices_[i].done) continue;
    if (stream_ && writer_->pending_bytes() > 0) break;
    credits.push_back({i, std::exchange(choices_[i].owed, 0)});
  }
  return credits;
}

// The response is complete.
void GenerationResponder::log() {
  over_ = true;
  log_.completion_tokens = 0;
  for (const Choice& choice : choices_) {
    log_.completion_tokens += choice.done ? choice.done->usage.completion_tokens : choice.tokens;
  }
  if (closed_) log_.status = status_of(ErrorCode::kCancelled);
  spdlog::info(log_line(log_));
}

}  // namespace rockllama::api
