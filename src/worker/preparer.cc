#include "worker/preparer.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "base/hash.h"
#include "chat/chat_prompt.h"
#include "engine/cut_plan.h"
#include "worker/embedding_plan.h"
#include "worker/text_answers.h"
#include "worker/text_prompt.h"

namespace rockllama {
namespace {

bool is_chat(const Prompt& prompt) { return std::holds_alternative<ChatPrompt>(prompt); }

StateFormat format_of(const Prompt& prompt) { return is_chat(prompt) ? StateFormat::kChat : StateFormat::kRaw; }

Error too_long(const PreparerModel& model, size_t tokens, const char* param) {
  const char* what = std::string_view(param) == "messages" ? "messages" : "prompt";
  const std::string count = model.counts_bytes ? "about " + std::to_string(tokens) : std::to_string(tokens);
  return {ErrorCode::kContextLengthExceeded,
          "This model's maximum context length is " + std::to_string(model.context_tokens) + " tokens. However, your " +
              what + " resulted in " + count + " tokens" +
              (model.counts_bytes ? ", as estimated from its length, because it is not prepared in tokens." : "."),
          param};
}

// The longest content first; of equal ones the order of the request stays.
std::vector<const CacheReference*> by_length(const std::vector<CacheReference>& caches) {
  std::vector<const CacheReference*> order;
  order.reserve(caches.size());
  for (const CacheReference& cache : caches) order.push_back(&cache);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return content_bytes(a->line) > content_bytes(b->line); });
  return order;
}

bool begins_with(std::span<const int32_t> tokens, const StateKey& key) {
  return key.tokens <= tokens.size() && key.token_hash == hash_tokens(tokens.first(key.tokens));
}

bool is_state_of(const StateKey& key, const std::vector<int32_t>& prefix) {
  return key.tokens == prefix.size() && begins_with(prefix, key);
}

std::string partly(uint32_t reusable, size_t tokens) {
  return "border falls inside a block: " + std::to_string(reusable) + " of " + std::to_string(tokens) +
         " tokens reusable";
}

int32_t lowered(int32_t max_tokens, uint32_t room) {
  const auto limit = static_cast<int32_t>(room);
  return max_tokens < 0 ? limit : std::clamp(max_tokens, 1, limit);
}

PreparedGeneration generation_of(const protocol::Prepare& command, std::vector<int32_t> tokens, uint32_t room) {
  const auto prompt_tokens = static_cast<uint32_t>(tokens.size());
  const int32_t max_tokens = lowered(command.options.max_tokens, room);
  PreparedGeneration prepared{.stop = command.options.stop};
  prepared.answer = {
      .id = command.id, .prompt_tokens = prompt_tokens, .max_tokens = max_tokens, .prefill_tokens = prompt_tokens};
  prepared.task = {.id = command.id,
                   .tokens = std::move(tokens),
                   .reuse = command.options.reuse,
                   .salt = command.salt,
                   .sampling = command.options.sampling,
                   .top_logprobs = command.options.top_logprobs,
                   .max_tokens = static_cast<uint32_t>(max_tokens)};
  const auto* chat = std::get_if<ChatPrompt>(&command.prompt);
  prepared.task.enable_thinking = chat != nullptr && chat->enable_thinking;
  return prepared;
}

void take_answer_format(RenderedChat chat, PreparedGeneration* prepared) {
  prepared->task.grammar = std::move(chat.grammar);
  prepared->task.preserved_tokens = std::move(chat.preserved_tokens);
  std::move(chat.stops.begin(), chat.stops.end(), std::back_inserter(prepared->stop));
  prepared->syntax = std::move(chat.syntax);
}

void set_name(const std::string& name, PreparedGeneration* prepared) {
  prepared->answer.cache.name = name;
  prepared->task.cache_name = name;
}

void set_no_state_reason(const std::string& reason, PreparedGeneration* prepared) {
  prepared->answer.cache.reason = reason;
  prepared->task.no_state_reason = reason;
}

void serve(const StateKey& key, uint32_t reuse_tokens, PreparedGeneration* prepared) {
  prepared->answer.state = {key};
  prepared->answer.prefill_tokens = prepared->answer.prompt_tokens - reuse_tokens;
  prepared->task.prefix = PrefixState{key, reuse_tokens};
}

// Decides whether the cache's own state serves, and says why not.
void choose_state(const CacheReference& cache, const std::vector<int32_t>& prefix, uint32_t reuse_tokens,
                  PreparedGeneration* prepared) {
  const bool outdated = cache.state && !is_state_of(*cache.state, prefix);
  const std::string incomplete = reuse_tokens < prefix.size() ? partly(reuse_tokens, prefix.size()) : "";
  prepared->answer.state_outdated = outdated;
  if (prepared->task.reuse == ReusePolicy::kNone) {
    set_no_state_reason("cache_prompt is false", prepared);
  } else if (!cache.state) {
    set_no_state_reason(cache.reason.empty() ? "the cache has no state" : cache.reason, prepared);
  } else if (outdated) {
    set_no_state_reason("the state belongs to another rendering", prepared);
  } else if (reuse_tokens == 0) {
    set_no_state_reason(incomplete, prepared);
  } else {
    serve(*cache.state, reuse_tokens, prepared);
    prepared->reason = incomplete;
  }
}

// The state of what the cache continues holds the same bits as far as it goes.
void use_ancestor(const FoundState& ancestor, PreparedGeneration* prepared) {
  if (ancestor.state == nullptr || prepared->task.prefix || prepared->task.reuse == ReusePolicy::kNone) return;
  serve(ancestor.state->key, ancestor.tokens, prepared);
  prepared->answer.cache.state_of = ancestor.state->name;
  prepared->reason =
      prepared->answer.cache.reason + "; the state of '" + ancestor.state->name + "' serves for its part";
}

// A longer piece of an earlier conversation; its end becomes a cut.
void use_automatic(const FoundState& automatic, PreparedGeneration* prepared) {
  GenerationTask& task = prepared->task;
  const uint32_t served = task.prefix ? task.prefix->reuse_tokens : 0;
  if (automatic.state == nullptr || task.reuse != ReusePolicy::kAll || automatic.tokens <= served) return;
  const auto cut = std::lower_bound(task.cuts.begin(), task.cuts.end(), automatic.tokens);
  if (*cut != automatic.tokens) task.cuts.insert(cut, automatic.tokens);
  serve(automatic.state->key, automatic.tokens, prepared);
  task.prefix->automatic = true;
  set_name({}, prepared);
  set_no_state_reason({}, prepared);
  prepared->answer.cache.state_of.clear();
  prepared->reason.clear();
}

// What was asked for and could not be had.
void add_reason(const std::string& reason, PreparedGeneration* prepared) {
  if (reason.empty()) return;
  if (prepared->task.prefix) {
    prepared->reason = reason;
  } else {
    set_no_state_reason(reason, prepared);
  }
}

}  // namespace

Preparer::Preparer(PreparerModel model)
    : model_(std::make_shared<const PreparerModel>(std::move(model))), borders_(model_) {}

Result<PreparedGeneration> Preparer::prepare(const protocol::Prepare& command) {
  std::optional<Error> beyond_context;
  std::string unusable;
  for (const CacheReference* cache : by_length(command.caches)) {
    auto prepared = prepare_with(command, cache);
    if (prepared) return prepared;
    if (prepared.error().code == ErrorCode::kContextLengthExceeded) {
      beyond_context = prepared.error();
    } else {
      unusable = "answered without cache '" + cache->name + "': " + prepared.error().message;
    }
  }
  if (beyond_context) return fail(*beyond_context);
  auto prepared = prepare_with(command, nullptr);
  if (prepared) add_reason(unusable, &*prepared);
  return prepared;
}

Result<PreparedGeneration> Preparer::prepare_with(const protocol::Prepare& command, const CacheReference* cache) {
  const char* param = is_chat(command.prompt) ? "messages" : "prompt";
  auto prompt = std::visit([&](const auto& one) { return tokenize(one, cache); }, command.prompt);
  if (!prompt) return fail(prompt.error());
  std::vector<int32_t>& tokens = prompt->tokens;
  if (tokens.empty()) return fail(ErrorCode::kInvalidArgument, "The prompt is empty.", param);
  const uint32_t count = token_count(*model_, tokens.size());
  if (count >= model_->context_tokens) return fail(too_long(*model_, count, param));

  const Found found = known_.find(tokens);
  PreparedGeneration prepared = generation_of(command, std::move(tokens), model_->context_tokens - count);
  take_answer_format(std::move(prompt->chat), &prepared);
  if (const auto* text = std::get_if<TextPrompt>(&command.prompt)) prepared.echo = echoed_text(*model_, *text);
  if (cache != nullptr) {
    resolve_to(*cache, found, format_of(command.prompt), &prepared);
  } else {
    resolve_alone(command, found, &prepared);
  }
  use_automatic(longest_automatic(found, command.salt), &prepared);
  if (model_->counts_bytes) prepared.answer.prompt_tokens = prepared.answer.prefill_tokens = 0;  // not known
  return prepared;
}

Result<Preparer::TokenizedPrompt> Preparer::tokenize(const ChatPrompt& prompt, const CacheReference* cache) const {
  static const CacheLine kNone;
  auto rendered = render_chat(*model_, cache == nullptr ? kNone : cache->line, prompt);
  if (!rendered) return fail(rendered.error());
  auto tokens = model_->tokenize_chat(std::exchange(rendered->text, {}));
  if (!tokens) return fail(tokens.error());
  return TokenizedPrompt{std::move(*tokens), std::move(*rendered)};
}

Result<Preparer::TokenizedPrompt> Preparer::tokenize(const TextPrompt& prompt, const CacheReference* cache) const {
  std::string before;
  if (cache != nullptr) {
    auto text = raw_text(cache->line);
    if (!text) return fail(text.error());
    before = std::move(*text);
  }
  auto tokens = tokenize_prompt(*model_, prompt, before);
  if (!tokens) return fail(tokens.error());
  return TokenizedPrompt{std::move(*tokens)};
}

// A cache without a border has no state, but its content serves.
void Preparer::resolve_to(const CacheReference& cache, const Found& found, StateFormat format,
                          PreparedGeneration* prepared) {
  GenerationTask& task = prepared->task;
  set_name(cache.name, prepared);
  const auto border = borders_.get(cache.line, format);
  if (!border) {
    task.cuts = block_cuts(0, prepared->answer.prompt_tokens, model_->block_tokens);
    return set_no_state_reason(border.error().message, prepared);
  }
  CutPlan plan = plan_cuts(task.tokens, (*border)->tokens, (*border)->cuts, model_->block_tokens);
  task.cuts = std::move(plan.cuts);
  choose_state(cache, (*border)->tokens, plan.reuse_tokens, prepared);
  use_ancestor(longest_with_cuts(found, format, task.cuts), prepared);
}

// A known named state is as good as a cache that was asked for. Else a chat's own leading system message is cut like a
// cache of that text, so that both give the same bits.
void Preparer::resolve_alone(const protocol::Prepare& command, const Found& found, PreparedGeneration* prepared) {
  GenerationTask& task = prepared->task;
  const FoundState named = longest_named(found, format_of(command.prompt));
  const bool is_known = named.state != nullptr && cuts_are_valid(named.state->cuts, named.tokens, model_->block_tokens);
  if (is_known) {
    const std::span<const int32_t> prefix = std::span(task.tokens).first(named.tokens);
    task.cuts = plan_cuts(task.tokens, prefix, named.state->cuts, model_->block_tokens).cuts;
    if (task.reuse == ReusePolicy::kNone) return;
    set_name(named.state->name, prepared);
    return serve(named.state->key, named.tokens, prepared);
  }
  const std::shared_ptr<const LineBorder> own = system_border(command);
  task.cuts = plan_cuts(task.tokens, own->tokens, own->cuts, model_->block_tokens).cuts;
}

std::shared_ptr<const LineBorder> Preparer::system_border(const protocol::Prepare& command) {
  const auto* chat = std::get_if<ChatPrompt>(&command.prompt);
  if (chat != nullptr && is_system(chat->messages.front())) {
    auto border = borders_.get({{.text = chat->messages.front().content}}, StateFormat::kChat);
    if (border) return std::move(*border);
  }
  return std::make_shared<const LineBorder>();
}

Result<QuestionOutcome> Preparer::answer(const protocol::Ask& command) const {
  if (const auto* question = std::get_if<EmbeddingsQuestion>(&command.question)) {
    auto inputs = plan_embeddings(*model_, *question);
    if (!inputs) return fail(inputs.error());
    return EmbeddingTask{command.id, std::move(*inputs)};
  }
  auto answer = answer_text_question(*model_, command.question);
  if (!answer) return fail(answer.error());
  return std::move(*answer);
}

Result<StatePlan> Preparer::plan_state(const CacheLine& line, StateFormat format, const StateKey* lent) {
  const auto border = borders_.get(line, format);
  if (!border) return fail(border.error());
  const LineBorder& found = **border;
  const auto tokens = static_cast<uint32_t>(found.tokens.size());
  if (tokens == 0) {
    return fail(ErrorCode::kUnsupported, "No token of this cache stays the same whatever follows it.");
  }
  const uint32_t count = token_count(*model_, tokens);
  if (count >= model_->context_tokens) return fail(too_long(*model_, count, "prompt"));
  StatePlan plan{found.tokens, found.cuts, found.note};
  const bool at_cut = lent != nullptr && std::find(plan.cuts.begin(), plan.cuts.end(), lent->tokens) != plan.cuts.end();
  if (at_cut && lent->tokens < tokens && begins_with(plan.tokens, *lent)) plan.base_tokens = lent->tokens;
  return plan;
}

}  // namespace rockllama
