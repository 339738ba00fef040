#include "service/cache_writer.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/clock.h"
#include "cache/cache_content.h"

namespace rockllama {
namespace {

// The raw state of a `both` cache is built at once only where that costs less.
constexpr double kCheapRawMs = 1000;
// Below this a prefill is about as quick as the rest of a request.
constexpr uint32_t kWorthwhileTokens = 100;

std::string size_text(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "(%.2f MB)", static_cast<double>(bytes) / 1048576);
  return text;
}

}  // namespace

CacheAttributes cache_attributes(const CreateCache& request, double now) {
  CacheAttributes attributes{
      .source = request.source, .parent = request.parent, .pinned = request.pinned, .overwrite = request.overwrite};
  if (request.ttl_s) attributes.expires_at = now + *request.ttl_s;
  return attributes;
}

Result<CacheLine> line_of(CacheStore* store, const CreateCache& request) {
  auto own = parse_content(request.text);
  if (!own) return fail(own.error());
  CacheLine line;
  if (!request.parent.empty()) {
    auto parent = store->reference(request.model, request.parent, StateFormat::kChat, "");
    if (!parent && parent.error().code == ErrorCode::kNotFound && parent.error().param.empty()) {
      return fail(ErrorCode::kNotFound, "there is no cache '" + request.parent + "' to continue", "parent");
    }
    if (!parent) return fail(parent.error().code, parent.error().message, "parent");
    line = std::move(parent->line);
  }
  line.push_back(std::move(*own));
  return line;
}

bool is_text(const CacheLine& line) {
  return std::all_of(line.begin(), line.end(), [](const CacheContent& content) { return content.is_text(); });
}

CacheWriter::CacheWriter(ServiceContext* context, std::shared_ptr<ModelHost> host, CreateCache request,
                         Caches::OnProgress progress, Caches::Created done, std::shared_ptr<void> keep)
    : context_(context),
      host_(std::move(host)),
      request_(std::move(request)),
      progress_(std::move(progress)),
      done_(std::move(done)),
      keep_(std::move(keep)) {
  created_.model = request_.model;
  created_.name = request_.name;
}

void CacheWriter::run() {
  auto line = line_of(context_->store, request_);
  if (!line) return done_(tl::unexpected(line.error()));
  line_ = std::move(*line);
  choose_formats();
  if (up_to_date()) return done_(created_);
  build_next();
}

// Messages have no other rendering than a chat's; where the model cannot have it, the builder says so.
void CacheWriter::choose_formats() {
  const bool chat = request_.format != CacheFormatChoice::kRaw && host_->model().has_chat_template;
  to_build_ = {chat || !is_text(line_) ? StateFormat::kChat : StateFormat::kRaw};
}

// The same text with fresh states of what was asked for: nothing to do.
bool CacheWriter::up_to_date() {
  const auto text = context_->store->text(request_.model, request_.name);
  if (!text || *text != request_.text) return false;
  const auto info = context_->store->find(request_.model, request_.name, host_->fingerprint());
  if (!info || info->parent != request_.parent) return false;
  for (const StateInfo& state : info->binary) {
    if (state.status != StateStatus::kReady) continue;
    created_.states.push_back(state.format);
    created_.size_bytes += state.size_bytes;
    if (state.format != to_build_.front()) continue;
    created_.prompt_tokens = state.tokens;
    created_.binary = true;
  }
  if (!created_.binary) {
    created_ = {.model = request_.model, .name = request_.name};
    return false;
  }
  // It has been asked for by this source now, perhaps for another time.
  const bool same =
      info->source == request_.source && request_.pinned.value_or(info->pinned) == info->pinned && !request_.ttl_s;
  if (!same && !request_.keeps_text) {
    const auto attributes = cache_attributes(request_, unix_seconds());
    (void)context_->store->commit(request_.model, request_.name, request_.text, {}, attributes);
  }
  created_.message = "Binary cache is up to date " + size_text(created_.size_bytes) + "; nothing was rebuilt";
  return true;
}

void CacheWriter::build_next() {
  if (to_build_.empty()) return commit();
  const StateFormat format = to_build_.back();
  to_build_.pop_back();
  const auto self = shared_from_this();
  context_->builder->build(
      {host_, request_.name, request_.parent, request_.text, line_, format, request_.retry_binary},
      [self, format](uint32_t done, uint32_t total) {
        if (self->progress_) self->progress_({format, done, total});
      },
      [self, format](Result<NewState> state) { self->built(format, std::move(state)); });
}

void CacheWriter::built(StateFormat format, Result<NewState> state) {
  if (!state) {
    created_.warning = std::string("the ") + to_string(format) + " state was not saved: " + state.error().message;
    created_.may_pass = may_pass(state.error().code);
    return commit();
  }
  if (states_.empty()) {
    created_.ttft_ms = state->saved.first_token_ms;
    created_.prompt_tokens = state->saved.counted_tokens.value_or(state->saved.tokens);
  }
  created_.states.push_back(format);
  created_.size_bytes += state->saved.bytes;
  note_ = state->saved.note;
  states_.push_back(std::move(*state));
  if (format == StateFormat::kChat && wants_raw()) to_build_.push_back(StateFormat::kRaw);
  build_next();
}

bool CacheWriter::wants_raw() const {
  const bool cheap = states_.back().saved.prefill_ms < kCheapRawMs;
  return request_.format == CacheFormatChoice::kBoth && is_text(line_) && cheap;
}

Status CacheWriter::commit_states() {
  CacheStore& store = *context_->store;
  if (request_.keeps_text) return store.add_states(request_.model, request_.name, request_.text, std::move(states_));
  return store.commit(request_.model, request_.name, request_.text, std::move(states_),
                      cache_attributes(request_, unix_seconds()));
}

// What keeping the text alone cannot help: it changed or went meanwhile, or the operator's limits (which a full disk
// does not name) leave no room.
bool CacheWriter::is_final(const Error& error) {
  const bool over_limit = error.code == ErrorCode::kNoSpace && !error.param.empty();
  return over_limit || error.code == ErrorCode::kConflict || error.code == ErrorCode::kNotFound;
}

void CacheWriter::commit() {
  created_.binary = !states_.empty();
  Status status = commit_states();
  if (!status && created_.binary && !is_final(status.error())) {
    // The state did not fit or did not survive; the text is worth more, and smaller.
    created_.warning = "the state was not saved: " + status.error().message;
    created_.may_pass = true;
    created_.binary = false;
    created_.states.clear();
    states_.clear();
    status = commit_states();
  }
  if (!status) return done_(tl::unexpected(status.error()));
  if (!created_.binary) created_.size_bytes = request_.text.size();
  created_.message = message();
  done_(created_);
}

std::string CacheWriter::message() const {
  if (!created_.binary) return "Text cache stored without a state; " + created_.warning;
  std::string text = "Binary cache generated successfully " + size_text(created_.size_bytes);
  if (created_.prompt_tokens != 0 && created_.prompt_tokens < kWorthwhileTokens) {
    text += "; with " + std::to_string(created_.prompt_tokens) + " tokens it hardly pays: about " +
            std::to_string(kWorthwhileTokens) + " and more do";
  }
  if (!note_.empty()) text += "; " + note_;
  return text;
}

}  // namespace rockllama
