#include "service/startup_caches.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/clock.h"
#include "service/context.h"
#include "service/model_choice.h"
#include "service/state_builder.h"

namespace rockllama {
namespace {

// Longer than the pool waits between two looks for room, so that a request for another model gets its turn.
constexpr int64_t kBreatherMs = 50;
constexpr double kLogEveryMs = 5000;

std::string progress_text(const StartupProgress::Current& current) {
  const auto whole = [](double value) { return std::to_string(static_cast<uint64_t>(value + 0.5)); };
  std::string text = std::to_string(current.done_tokens) + " of " + std::to_string(current.total_tokens) + " tokens";
  if (const auto eta_s = current.eta_s()) {
    text += ", " + whole(current.tokens_per_second) + " tokens/s, " + whole(*eta_s) + " s left";
  }
  return text;
}

}  // namespace

std::optional<double> StartupProgress::Current::eta_s() const {
  if (tokens_per_second <= 0) return std::nullopt;
  return (total_tokens - std::min(done_tokens, total_tokens)) / tokens_per_second;
}

std::vector<StartupCache> startup_order(std::vector<StartupCache> caches) {
  std::map<std::string, size_t> ranks;  // of models
  for (const StartupCache& cache : caches) ranks.emplace(cache.request.model, ranks.size());
  std::stable_sort(caches.begin(), caches.end(), [&](const StartupCache& a, const StartupCache& b) {
    return ranks.at(a.request.model) < ranks.at(b.request.model);
  });
  return caches;
}

void StartupCaches::begin(std::vector<StartupCache> caches) {
  if (caches.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    for (StartupCache& cache : caches) items_.push_back({std::move(cache)});
  }
  context_->executor->post([this] {
    put_in_order();
    next();
  });
}

void StartupCaches::put_in_order() {
  const auto model = default_model(context_);
  const std::lock_guard lock(mutex_);
  std::vector<StartupCache> caches;
  for (Item& item : items_) {
    if (item.cache.request.model.empty() && model) item.cache.request.model = model->spec.name;
    caches.push_back(std::move(item.cache));
  }
  caches = startup_order(std::move(caches));
  for (size_t i = 0; i < items_.size(); ++i) {
    items_[i].cache = std::move(caches[i]);
    again_.push_back(i);
  }
}

// Begins with the next one, or with the next round, or is done.
void StartupCaches::next() {
  size_t index = 0;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || (queue_.empty() && again_.empty())) return;
    if (queue_.empty()) return begin_round();
    index = queue_.front();
    queue_.pop_front();
    const CreateCache& request = items_[index].cache.request;
    current_ = StartupProgress::Current{.model = request.model, .name = request.name};
    pace_.reset();
  }
  make(index);
}

void StartupCaches::begin_round() {
  const int64_t pause_ms = round_ == 0 ? 0 : context_->options.startup_pauses_ms[round_ - 1];
  ++round_;
  queue_.assign(again_.begin(), again_.end());
  again_.clear();
  context_->executor->post_after(pause_ms, [this] { next(); });
}

void StartupCaches::make(size_t index) {
  CreateCache request;
  {
    const std::lock_guard lock(mutex_);
    request = items_[index].cache.request;
  }
  if (request.model.empty()) {
    const auto model = default_model(context_);
    if (!model) return ended(index, {false, model.error().message, may_pass(model.error().code)});
    request.model = model->spec.name;
  }
  spdlog::info("{}: begins", title(index));
  caches_->create(
      std::move(request), [this](const CacheProgress& step) { on_progress(step); },
      [this, index](const Result<CacheCreated>& created) {
        if (!created) return ended(index, {false, created.error().message, may_pass(created.error().code)});
        ended(index, {created->warning.empty(), created->message, created->may_pass});
      });
}

void StartupCaches::on_progress(const CacheProgress& step) {
  const double now = steady_ms();
  const std::lock_guard lock(mutex_);
  if (!current_) return;
  if (!pace_ || pace_->format != step.format) pace_ = Pace{step.format, step.done_tokens, now, now};
  current_->done_tokens = step.done_tokens;
  current_->total_tokens = step.total_tokens;
  const double tokens = step.done_tokens - std::min(pace_->first_tokens, step.done_tokens);
  current_->tokens_per_second = now > pace_->first_ms ? tokens * 1000 / (now - pace_->first_ms) : 0;
  if (now - pace_->logged_ms < kLogEveryMs) return;
  pace_->logged_ms = now;
  spdlog::info("startup cache {}/{}: {}", current_->model, current_->name, progress_text(*current_));
}

void StartupCaches::ended(size_t index, const Outcome& outcome) {
  const std::string name = title(index);
  std::string next_step;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    current_.reset();
    Item& item = items_[index];
    const bool again = !outcome.made && outcome.may_pass && round_ <= context_->options.startup_pauses_ms.size();
    if (again) again_.push_back(index);
    if (!again) item.fate = outcome.made ? Fate::kMade : Fate::kGivenUp;
    item.words = outcome.words;
    next_step = again ? "; it is tried again" : "; given up";
  }
  if (outcome.made) {
    spdlog::info("{}: {}", name, outcome.words);
  } else {
    spdlog::warn("{}: {}{}", name, outcome.words, next_step);
  }
  context_->executor->post_after(kBreatherMs, [this] { next(); });
}

std::string StartupCaches::title(size_t index) const {
  const std::lock_guard lock(mutex_);
  const CreateCache& request = items_[index].cache.request;
  return "startup cache " + request.model + "/" + request.name + " (" + std::to_string(index + 1) + " of " +
         std::to_string(items_.size()) + ")";
}

StartupProgress StartupCaches::progress() const {
  const std::lock_guard lock(mutex_);
  StartupProgress progress{.total = items_.size(), .current = current_};
  for (const Item& item : items_) {
    const CreateCache& request = item.cache.request;
    if (item.fate == Fate::kMade) ++progress.done;
    if (item.fate == Fate::kGivenUp) progress.failed.push_back({request.model, request.name, item.words});
    if (item.fate == Fate::kPending && item.cache.required) progress.required_pending = true;
  }
  return progress;
}

void StartupCaches::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
}

}  // namespace rockllama
