// An answer over a cache against the same answer without it, for random conversations: over a named cache and alone,
// the logits are equal to the last bit, also after eviction and in another life of the engine. Over tokens that were
// generated, and in a batch with others, they stay within a bound, and texts part only where the cold logits nearly
// tie.
//
// ROCKLLAMA_TEST_SIZE=full runs ten rounds of 30 conversations, otherwise as many of one as CI has time for.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <string_view>

#include "tests/differential/random_conversation.h"
#include "tests/support/llama_engine_run.h"
#include "worker/preparer.h"

namespace rockllama::test {
namespace {

constexpr uint32_t kAnswerTokens = 12;
constexpr float kBound = 3.0F;  // of the largest difference of a logit; docs/architecture.md says what was measured
constexpr const char* kStateId = "demo/named/chat/1-0";

bool has_size(std::string_view wanted) {
  const char* size = std::getenv("ROCKLLAMA_TEST_SIZE");
  return size != nullptr && size == wanted;
}

uint32_t round_count() { return has_size("full") ? 10 : 1; }
uint32_t conversations_of_a_round() { return has_size("full") ? 30 : has_size("small") ? 2 : 5; }

Preparer make_preparer(const ModelSpec& spec) {
  const Vocabulary vocabulary(test_model());
  return Preparer({.tokenize_text = [vocabulary](std::string_view text) { return vocabulary.tokenize_text(text); },
                   .tokenize_chat = [vocabulary](std::string_view text) { return vocabulary.tokenize_chat(text); },
                   .chat_template = ChatTemplate::create(vocabulary.model(), ""),
                   .context_tokens = spec.context_tokens,
                   .block_tokens = spec.block_tokens});
}

struct Answer {
  std::string text;
  std::vector<int32_t> tokens;
  std::vector<std::vector<float>> logits;
  CacheUse cache;
};

float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  float largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(a[i] - b[i]));
  return largest;
}

// Answers chats with an engine of its own, one request at a time unless others are let run beside it.
class Answerer {
 public:
  explicit Answerer(const ModelSpec& spec) : preparer_(make_preparer(spec)), run_(spec) {}

  Answer ask(const std::vector<ChatMessage>& messages, const CacheReference& cache, ReusePolicy reuse,
             const UniqueFd& state = {}) {
    const RequestId id = start(messages, cache, reuse, state);
    run_.run();
    return take(id);
  }

  RequestId start(const std::vector<ChatMessage>& messages, const CacheReference& cache, ReusePolicy reuse,
                  const UniqueFd& state = {}) {
    const RequestId id = ++last_id_;
    auto prepared = prepare(id, messages, cache, reuse);
    if (!prepared) throw std::runtime_error(prepared.error().message);
    prepared->task.credit = kAnswerTokens + 1;
    if (prepared->task.prefix && state.valid()) prepared->task.prefix->file = copy_of(state);
    run_.engine().start(std::move(prepared->task));
    return id;
  }

  // Whether the context has room for the messages and at least one token of an answer.
  bool fits(const std::vector<ChatMessage>& messages, const CacheReference& cache) {
    const auto prepared = prepare(0, messages, cache, ReusePolicy::kNone);
    if (!prepared && prepared.error().code != ErrorCode::kContextLengthExceeded) {
      throw std::runtime_error(prepared.error().message);
    }
    return prepared.has_value();
  }

  void run() { run_.run(); }

  Answer take(RequestId id) {
    LlamaEngineRun::Outcome outcome = std::move(run_.outcomes[id]);
    run_.outcomes.erase(id);
    EXPECT_FALSE(outcome.error) << outcome.error->message;
    return {outcome.text, outcome.tokens, std::move(outcome.logits), outcome.cache.value_or(CacheUse{})};
  }

  // The state of the line, and the reference that offers it.
  UniqueFd save(CacheReference* cache) {
    auto plan = preparer_.plan_state(cache->line, StateFormat::kChat);
    if (!plan) return {};
    const RequestId id = ++last_id_;
    UniqueFd file = memory_file();
    const auto tokens = static_cast<uint32_t>(plan->tokens.size());
    cache->state = StateKey{kStateId, tokens, hash_tokens(plan->tokens)};
    SaveStateTask task;
    task.id = id;
    task.tokens = std::move(plan->tokens);
    task.cuts = std::move(plan->cuts);
    task.file = copy_of(file);
    run_.engine().save_state(std::move(task));
    run_.run();
    EXPECT_TRUE(run_.outcomes[id].saved) << run_.outcomes[id].error->message;
    return file;
  }

 private:
  Result<PreparedGeneration> prepare(RequestId id, const std::vector<ChatMessage>& messages,
                                     const CacheReference& cache, ReusePolicy reuse) {
    const GenerationOptions options{.sampling = {.temperature = 0.0F}, .max_tokens = kAnswerTokens, .reuse = reuse};
    return preparer_.prepare({.id = id, .prompt = ChatPrompt{messages}, .options = options, .caches = {cache}});
  }

  Preparer preparer_;
  LlamaEngineRun run_;
  RequestId last_id_ = 0;
};

void expect_same_bits(const Answer& answer, const Answer& cold, const std::string& how) {
  ASSERT_EQ(answer.tokens, cold.tokens) << how;
  for (size_t i = 0; i < cold.logits.size(); ++i) ASSERT_EQ(answer.logits[i], cold.logits[i]) << how << ", token " << i;
}

// Without its last sentence.
void shorten(std::string* text) {
  const size_t end = text->rfind(". ", text->size() - 3);
  text->resize(end == std::string::npos ? 0 : end + 2);
}

// Returns the largest difference that was met.
float expect_close(const Answer& answer, const Answer& cold, const std::string& how) {
  float largest = 0;
  for (size_t i = 0; i < std::min(cold.logits.size(), answer.logits.size()); ++i) {
    largest = std::max(largest, largest_difference(answer.logits[i], cold.logits[i]));
    if (i >= cold.tokens.size() || i >= answer.tokens.size() || answer.tokens[i] == cold.tokens[i]) continue;
    // From here on the texts are different: the two tokens must have been nearly equal to the cold run.
    const float gap =
        cold.logits[i][static_cast<size_t>(cold.tokens[i])] - cold.logits[i][static_cast<size_t>(answer.tokens[i])];
    EXPECT_LE(gap, 2 * kBound) << how << ": token " << i << " is no near-tie";
    break;
  }
  EXPECT_LE(largest, kBound) << how;
  return largest;
}

ModelSpec spec_with(bool automatic_reuse) {
  ModelSpec spec = test_spec();
  spec.context_tokens = 640;
  spec.kv_tokens = 1920;
  spec.block_tokens = 64;
  spec.automatic_reuse = automatic_reuse;
  spec.automatic_memory_bytes = uint64_t{256} << 20;
  return spec;
}

class Differential : public testing::TestWithParam<uint32_t> {
 protected:
  Answerer cold_{spec_with(false)};
  Answerer warm_{spec_with(true)};
  float largest_ = 0;
  size_t reused_ = 0;

  // Conversations of others, so that this one leaves the buffer.
  void push_out(uint32_t seed) {
    for (int i = 0; i < 3; ++i) {
      const std::string text = "Nothing of this, number " + std::to_string(seed * 10 + static_cast<uint32_t>(i)) + ".";
      static_cast<void>(warm_.ask({{"user", text}}, {"", {{.text = text}}, {}, ""}, ReusePolicy::kAll));
    }
  }

  void check_named(const Conversation& conversation, CacheReference cache, uint32_t seed) {
    const std::vector<ChatMessage> messages = {{"user", conversation.questions.front()}};
    const UniqueFd state = warm_.save(&cache);
    const Answer cold = cold_.ask(messages, cache, ReusePolicy::kNone);
    const Answer first = warm_.ask(messages, cache, ReusePolicy::kAll, state);
    expect_same_bits(first, cold, "over the named cache");
    EXPECT_TRUE(!state.valid() || first.cache.tokens > 0) << first.cache.reason;
    expect_same_bits(warm_.ask(messages, cache, ReusePolicy::kAll, state), cold, "again");
    push_out(seed);
    expect_same_bits(warm_.ask(messages, cache, ReusePolicy::kAll, state), cold, "after eviction");
    Answerer restarted(spec_with(true));
    expect_same_bits(restarted.ask(messages, cache, ReusePolicy::kAll, state), cold, "after a restart");
    check_batch(messages, cache, state, cold);
  }

  void check_batch(const std::vector<ChatMessage>& messages, const CacheReference& cache, const UniqueFd& state,
                   const Answer& cold) {
    const CacheReference none{"", {{.text = "Other work."}}, {}, ""};
    const RequestId before = warm_.start({{"user", "Count the boats."}}, none, ReusePolicy::kAll);
    const RequestId own = warm_.start(messages, cache, ReusePolicy::kAll, state);
    const RequestId after = warm_.start({{"user", "And the gulls?"}}, none, ReusePolicy::kAll);
    warm_.run();
    largest_ = std::max(largest_, expect_close(warm_.take(own), cold, "in a batch"));
    static_cast<void>(warm_.take(before));
    static_cast<void>(warm_.take(after));
  }

  // Each turn over the last one, which was generated by the warm engine.
  void check_turns(const Conversation& conversation, const CacheReference& cache, uint32_t seed) {
    std::vector<ChatMessage> messages;
    for (size_t turn = 0; turn < conversation.questions.size(); ++turn) {
      messages.push_back({"user", conversation.questions[turn]});
      if (!cold_.fits(messages, cache)) break;
      const Answer answer = warm_.ask(messages, cache, ReusePolicy::kAll);
      const Answer cold = cold_.ask(messages, cache, ReusePolicy::kNone);
      largest_ = std::max(largest_, expect_close(answer, cold, "turn " + std::to_string(turn)));
      if (turn > 0 && answer.cache.tokens > 0) ++reused_;
      messages.push_back({"assistant", answer.text});
      if (turn % 2 == 0) push_out(seed + 1000);
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Rounds, Differential, testing::Range(0U, round_count()));

TEST_P(Differential, AnAnswerOverACacheIsTheAnswerWithoutIt) {
  ConversationMaker maker(20261121 + GetParam());
  for (uint32_t i = 0; i < conversations_of_a_round() && !HasFailure(); ++i) {
    const Conversation conversation = maker.next(spec_with(true).context_tokens);
    SCOPED_TRACE("conversation " + std::to_string(i) + ": " + conversation.kind);
    CacheReference cache{"named", conversation.line, {}, "no state yet"};
    while (!cold_.fits({{"user", conversation.questions.front()}}, cache)) shorten(&cache.line.front().text);
    check_named(conversation, cache, i);
    check_turns(conversation, cache, i);
  }
  RecordProperty("largest_difference", std::to_string(largest_));
  std::printf("largest difference of a logit: %.3f; turns that reused the one before: %zu\n", largest_, reused_);
  EXPECT_GT(reused_, 0U);
}

}  // namespace
}  // namespace rockllama::test
