#include "worker/preparer.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "base/hash.h"
#include "chat/chat_prompt.h"
#include "engine/cut_plan.h"

namespace rockllama {
namespace {

// Texts whose borders are remembered: named caches in use, and system messages of conversations.
constexpr size_t kRememberedBorders = 32;

bool is_chat(const Prompt& prompt) { return std::holds_alternative<ChatPrompt>(prompt); }

int today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return local.tm_year * 366 + local.tm_yday;
}

Error too_long(size_t tokens, uint32_t context_tokens, const char* param) {
  const char* what = std::string_view(param) == "messages" ? "messages" : "prompt";
  return {ErrorCode::kContextLengthExceeded,
          "This model's maximum context length is " + std::to_string(context_tokens) + " tokens. However, your " +
              what + " resulted in " + std::to_string(tokens) + " tokens.",
          param};
}

// The longest text first; of equal ones the order of the request stays.
std::vector<const CacheReference*> by_length(const std::vector<CacheReference>& caches) {
  std::vector<const CacheReference*> order;
  order.reserve(caches.size());
  for (const CacheReference& cache : caches) order.push_back(&cache);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return content_bytes(a->line) > content_bytes(b->line); });
  return order;
}

bool is_state_of(const StateKey& key, const std::vector<int32_t>& prefix) {
  return key.tokens == prefix.size() && key.token_hash == hash_tokens(prefix);
}

std::string partly(uint32_t reusable, size_t tokens) {
  return "border falls inside a block: " + std::to_string(reusable) + " of " + std::to_string(tokens) +
         " tokens reusable";
}

int32_t lowered(int32_t max_tokens, uint32_t room) {
  const auto limit = static_cast<int32_t>(room);
  return max_tokens < 0 ? limit : std::clamp(max_tokens, 1, limit);
}

// Decides whether the cache's state serves, and says why not.
void choose_state(const CacheReference& cache, const std::vector<int32_t>& prefix, ReusePolicy reuse,
                  uint32_t reuse_tokens, PreparedGeneration* prepared) {
  protocol::Prepared& answer = prepared->answer;
  answer.state_outdated = cache.state && !is_state_of(*cache.state, prefix);
  const std::string incomplete = reuse_tokens < prefix.size() ? partly(reuse_tokens, prefix.size()) : "";
  if (reuse == ReusePolicy::kNone) {
    answer.cache.reason = "cache_prompt is false";
  } else if (!cache.state) {
    answer.cache.reason = cache.reason.empty() ? "the cache has no state" : cache.reason;
  } else if (answer.state_outdated) {
    answer.cache.reason = "the state belongs to another rendering";
  } else if (reuse_tokens == 0) {
    answer.cache.reason = incomplete;
  } else {
    answer.state = {*cache.state};
    answer.prefill_tokens = answer.prompt_tokens - reuse_tokens;
    prepared->reason = incomplete;
    prepared->task.prefix = PrefixState{*cache.state, reuse_tokens};
  }
  prepared->task.no_state_reason = answer.cache.reason;
}

}  // namespace

Preparer::Preparer(PreparerModel model) : model_(std::move(model)), borders_(kRememberedBorders) {}

Result<PreparedGeneration> Preparer::prepare(const protocol::Prepare& command) {
  if (command.caches.empty()) return prepare_with(command, nullptr);
  Result<PreparedGeneration> prepared;
  for (const CacheReference* cache : by_length(command.caches)) {
    prepared = prepare_with(command, cache);
    if (prepared || prepared.error().code != ErrorCode::kContextLengthExceeded) break;
  }
  return prepared;
}

Result<PreparedGeneration> Preparer::prepare_with(const protocol::Prepare& command, const CacheReference* cache) {
  const char* param = is_chat(command.prompt) ? "messages" : "prompt";
  auto tokens = std::visit([&](const auto& prompt) { return tokenize(prompt, cache); }, command.prompt);
  if (!tokens) return fail(tokens.error());
  if (tokens->empty()) return fail(ErrorCode::kInvalidArgument, "The prompt is empty.", param);
  if (tokens->size() >= model_.context_tokens) return fail(too_long(tokens->size(), model_.context_tokens, param));
  const auto border = border_of(command, cache);
  if (!border) return fail(border.error());

  const std::vector<int32_t>& prefix = (*border)->tokens;
  CutPlan plan = plan_cuts(*tokens, prefix, model_.block_tokens);
  const auto prompt_tokens = static_cast<uint32_t>(tokens->size());
  const int32_t max_tokens = lowered(command.options.max_tokens, model_.context_tokens - prompt_tokens);
  PreparedGeneration prepared{.stop = command.options.stop};
  prepared.answer = {
      .id = command.id, .prompt_tokens = prompt_tokens, .max_tokens = max_tokens, .prefill_tokens = prompt_tokens};
  prepared.task = {.id = command.id,
                   .tokens = std::move(*tokens),
                   .cuts = std::move(plan.cuts),
                   .reuse = command.options.reuse,
                   .salt = command.salt,
                   .sampling = command.options.sampling,
                   .max_tokens = static_cast<uint32_t>(max_tokens)};
  if (cache != nullptr) {
    prepared.answer.cache.name = cache->name;
    prepared.task.cache_name = cache->name;
    choose_state(*cache, prefix, command.options.reuse, plan.reuse_tokens, &prepared);
  }
  return prepared;
}

Result<std::vector<int32_t>> Preparer::tokenize(const ChatPrompt& prompt, const CacheReference* cache) const {
  if (!model_.chat_template) return fail(model_.chat_template.error());
  std::vector<ChatMessage> messages =
      cache == nullptr ? prompt.messages : messages_with_cache(cache->line.back().text, prompt.messages);
  if (!model_.chat_template->takes_many_system_messages()) messages = fold_system_messages(std::move(messages));
  const auto rendered = model_.chat_template->render(messages, prompt.enable_thinking, /*add_generation_prompt=*/true);
  if (!rendered) return fail(rendered.error());
  return model_.tokenize_chat(*rendered);
}

Result<std::vector<int32_t>> Preparer::tokenize(const TextPrompt& prompt, const CacheReference* cache) const {
  return model_.tokenize_text(cache == nullptr ? prompt.text : cache->line.back().text + prompt.text);
}

// A chat's own leading system message is cut like a cache of that text, so that both give the same bits.
Result<Preparer::TextBorder> Preparer::border_of(const protocol::Prepare& command, const CacheReference* cache) {
  if (cache != nullptr)
    return border_of(cache->line.back().text, is_chat(command.prompt) ? StateFormat::kChat : StateFormat::kRaw);
  const auto* chat = std::get_if<ChatPrompt>(&command.prompt);
  const bool has_system = chat != nullptr && !chat->messages.empty() && is_system(chat->messages.front());
  if (has_system) return border_of(chat->messages.front().content, StateFormat::kChat);
  return std::make_shared<const Border>();
}

Result<Preparer::TextBorder> Preparer::border_of(const std::string& text, StateFormat format) {
  if (format == StateFormat::kChat && !model_.chat_template) return fail(model_.chat_template.error());
  return borders_.get(format, text, today(), [&] {
    return format == StateFormat::kChat ? chat_border(*model_.chat_template, model_.tokenize_chat, text)
                                        : text_border(model_.tokenize_text, text);
  });
}

void Preparer::know(protocol::KnownStates /*states*/) {}

Result<StatePlan> Preparer::plan_state(const CacheLine& line, StateFormat format) {
  const auto border = border_of(line.back().text, format);
  if (!border) return fail(border.error());
  const auto tokens = static_cast<uint32_t>((*border)->tokens.size());
  if (tokens == 0) {
    return fail(ErrorCode::kUnsupported, "No token of this text stays the same whatever follows it.");
  }
  if (tokens >= model_.context_tokens) return fail(too_long(tokens, model_.context_tokens, "prompt"));
  return StatePlan{(*border)->tokens, block_cuts(0, tokens, model_.block_tokens), (*border)->note};
}

}  // namespace rockllama
