#include "worker/preparer.h"

#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <sstream>

#include "base/hash.h"
#include "tokenizer/vocabulary.h"

namespace rockllama {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint32_t kContext = 1000;
constexpr uint32_t kBlock = 64;

Vocabulary vocabulary(const std::string& name) {
  static std::map<std::string, Vocabulary> known;
  const auto found = known.find(name);
  if (found != known.end()) return found->second;
  const std::string path = std::string(ROCKLLAMA_VOCABULARIES) + "/ggml-vocab-" + name + ".gguf";
  return known.emplace(name, Vocabulary::load(path).value()).first->second;
}

std::string template_source(const std::string& name) {
  const std::ifstream file(std::string(ROCKLLAMA_VOCABULARIES) + "/templates/" + name + ".jinja");
  std::stringstream source;
  source << file.rdbuf();
  return source.str();
}

struct Family {
  const char* vocabulary;
  const char* chat_template;
  uint32_t block_tokens = kBlock;
};
constexpr Family kQwen = {"qwen2", "Qwen-Qwen2.5-7B-Instruct"};
constexpr Family kGemma = {"gemma-4", "google-gemma-2-2b-it"};

Preparer preparer(const Family& family = kQwen) {
  const Vocabulary words = vocabulary(family.vocabulary);
  return Preparer({.tokenize_text = [words](std::string_view text) { return words.tokenize_text(text); },
                   .tokenize_chat = [words](std::string_view text) { return words.tokenize_chat(text); },
                   .chat_template = ChatTemplate::create(words.model(), template_source(family.chat_template)),
                   .context_tokens = kContext,
                   .block_tokens = family.block_tokens});
}

// About `count` tokens.
std::string words(size_t count, const std::string& word = " word") {
  std::string text = "Many";
  while (count-- > 1) text += word;
  return text + ".";
}

protocol::Prepare chat(std::vector<ChatMessage> messages, std::vector<CacheReference> caches = {}) {
  return {.id = 7, .prompt = ChatPrompt{std::move(messages)}, .caches = std::move(caches)};
}

protocol::Prepare raw(const std::string& text, std::vector<CacheReference> caches = {}) {
  return {.id = 7, .prompt = TextPrompt{text}, .caches = std::move(caches)};
}

// A reference to a cache whose state is ready, as save_state would have made it.
CacheReference with_state(Preparer* preparer, const std::string& text, StateFormat format = StateFormat::kChat) {
  const auto plan = preparer->plan_state({{.text = text}}, format).value();
  return {"tale",
          {{.text = text}},
          StateKey{"tale/x/1", static_cast<uint32_t>(plan.tokens.size()), hash_tokens(plan.tokens)}};
}

TEST(Preparer, CountsAndPlansAPlainPrompt) {
  const auto prepared = preparer().prepare(raw(words(150)));
  ASSERT_TRUE(prepared);
  EXPECT_EQ(prepared->answer.id, 7u);
  EXPECT_EQ(prepared->answer.prompt_tokens, 151u);
  EXPECT_EQ(prepared->answer.prefill_tokens, 151u);
  EXPECT_EQ(prepared->answer.cache, CacheUse{});
  EXPECT_THAT(prepared->task.cuts, ElementsAre(64, 128, 151));
  EXPECT_EQ(prepared->task.tokens.size(), 151u);
}

TEST(Preparer, LowersMaxTokensToTheRoomLeft) {
  const auto max_tokens = [](int32_t asked) {
    auto command = raw(words(99));
    command.options.max_tokens = asked;
    return preparer().prepare(command)->answer.max_tokens;
  };
  EXPECT_EQ(max_tokens(-1), 900);
  EXPECT_EQ(max_tokens(5000), 900);
  EXPECT_EQ(max_tokens(10), 10);
}

TEST(Preparer, RefusesAPromptBeyondTheContextWithBothNumbers) {
  const auto prepared = preparer().prepare(raw(words(kContext - 1)));
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().code, ErrorCode::kContextLengthExceeded);
  EXPECT_EQ(prepared.error().param, "prompt");
  EXPECT_EQ(prepared.error().message,
            "This model's maximum context length is 1000 tokens. However, your prompt resulted in 1000 tokens.");
  EXPECT_TRUE(preparer().prepare(raw(words(kContext - 2))));
  EXPECT_EQ(preparer().prepare(chat({{"user", words(kContext)}})).error().param, "messages");
}

TEST(Preparer, CountsTheCachesTextTowardsTheContext) {
  const auto prepared = preparer().prepare(chat({{"user", words(600)}}, {{"tale", {{.text = words(600)}}, {}, ""}}));
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().code, ErrorCode::kContextLengthExceeded);
}

TEST(Preparer, RefusesAnEmptyPrompt) {
  EXPECT_EQ(preparer().prepare(raw("")).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(preparer().prepare(chat({})).error().code, ErrorCode::kInvalidArgument);
}

TEST(Preparer, ReusesAStateUpToTheBorder) {
  Preparer some = preparer();
  const CacheReference tale = with_state(&some, words(100));
  const auto prepared = some.prepare(chat({{"user", "Hi."}}, {tale}));
  ASSERT_TRUE(prepared);
  EXPECT_THAT(prepared->answer.state, ElementsAre(*tale.state));
  EXPECT_FALSE(prepared->answer.state_outdated);
  EXPECT_EQ(prepared->answer.cache.name, "tale");
  EXPECT_THAT(prepared->answer.cache.reason, IsEmpty());
  EXPECT_THAT(prepared->reason, IsEmpty());
  ASSERT_TRUE(prepared->task.prefix);
  EXPECT_EQ(prepared->task.prefix->reuse_tokens, tale.state->tokens);
  EXPECT_EQ(prepared->answer.prefill_tokens, prepared->answer.prompt_tokens - tale.state->tokens);
}

// The property that keeps answers equal: whether and how the cache serves changes nothing in tokens and cuts.
TEST(Preparer, PlansTheSameTokensAndCutsHoweverTheTextArrives) {
  for (const Family& family : {kQwen, kGemma}) {
    Preparer some = preparer(family);
    const std::string text = words(200);
    const CacheReference ready = with_state(&some, text);
    const ChatMessage user = {"user", "Tell me more."};
    const auto cached = some.prepare(chat({user}, {ready}));
    auto without_reuse = chat({user}, {ready});
    without_reuse.options.reuse = ReusePolicy::kNone;
    for (const auto& other : {some.prepare(chat({user}, {{"tale", {{.text = text}}, {}, "stale"}})),
                              some.prepare(chat({{"system", text}, user})),
                              some.prepare(chat({{"system", text}, user}, {ready})), some.prepare(without_reuse)}) {
      ASSERT_TRUE(other) << family.vocabulary;
      EXPECT_EQ(other->task.tokens, cached->task.tokens) << family.vocabulary;
      EXPECT_EQ(other->task.cuts, cached->task.cuts) << family.vocabulary;
    }
  }
}

TEST(Preparer, SaysWhyNoStateServes) {
  Preparer some = preparer();
  CacheReference ready = with_state(&some, words(100));
  auto command = chat({{"user", "Hi."}}, {ready});
  command.options.reuse = ReusePolicy::kNone;
  EXPECT_EQ(some.prepare(command)->answer.cache.reason, "cache_prompt is false");
  EXPECT_FALSE(some.prepare(command)->task.prefix);

  CacheReference stale = ready;
  stale.state.reset();
  stale.reason = "the model changed";
  const auto without = some.prepare(chat({{"user", "Hi."}}, {stale}));
  EXPECT_EQ(without->answer.cache.reason, "the model changed");
  EXPECT_EQ(without->task.no_state_reason, "the model changed");
  EXPECT_THAT(without->answer.state, IsEmpty());
}

TEST(Preparer, FindsThatAStateBelongsToAnotherRendering) {
  Preparer some = preparer();
  CacheReference other = with_state(&some, words(100));
  other.state->token_hash.low ^= 1;
  const auto prepared = some.prepare(chat({{"user", "Hi."}}, {other}));
  ASSERT_TRUE(prepared);
  EXPECT_TRUE(prepared->answer.state_outdated);
  EXPECT_THAT(prepared->answer.state, IsEmpty());
  EXPECT_EQ(prepared->answer.cache.reason, "the state belongs to another rendering");
}

// States are made without thinking; this template says behind the system text whether there is any.
TEST(Preparer, ReusesWholeBlocksWhereTheRenderingDepartsFromTheState) {
  const Vocabulary words_of = vocabulary("qwen2");
  Preparer some({.tokenize_text = [words_of](std::string_view text) { return words_of.tokenize_text(text); },
                 .tokenize_chat = [words_of](std::string_view text) { return words_of.tokenize_chat(text); },
                 .chat_template = ChatTemplate::create(nullptr,
                                                       "{% for m in messages %}[{{ m.role }}]{{ m.content }} "
                                                       "{{ enable_thinking }}.{% endfor %}"),
                 .context_tokens = kContext,
                 .block_tokens = kBlock});
  const CacheReference tale = with_state(&some, words(200));
  auto command = chat({{"user", "Hi."}}, {tale});
  std::get<ChatPrompt>(command.prompt).enable_thinking = true;
  const auto prepared = some.prepare(command);
  ASSERT_TRUE(prepared);
  EXPECT_FALSE(prepared->answer.state_outdated);
  ASSERT_TRUE(prepared->task.prefix);
  EXPECT_EQ(prepared->task.prefix->reuse_tokens, 192u);
  EXPECT_THAT(prepared->reason, HasSubstr("border falls inside a block: 192 of "));
}

TEST(Preparer, ReusesTheWholeStateWhereAnotherSystemTextIsFoldedIn) {
  Preparer some = preparer(kGemma);
  const CacheReference tale = with_state(&some, words(200));
  const auto prepared = some.prepare(chat({{"system", "Be brief."}, {"user", "Hi."}}, {tale}));
  ASSERT_TRUE(prepared);
  ASSERT_TRUE(prepared->task.prefix);
  EXPECT_EQ(prepared->task.prefix->reuse_tokens, tale.state->tokens);
}

TEST(Preparer, ReusesTheWholeStateBeforeAnotherSystemMessageInChatml) {
  Preparer some = preparer();
  const CacheReference tale = with_state(&some, words(100));
  const auto prepared = some.prepare(chat({{"system", "Be brief."}, {"user", "Hi."}}, {tale}));
  ASSERT_TRUE(prepared);
  ASSERT_TRUE(prepared->task.prefix);
  EXPECT_EQ(prepared->task.prefix->reuse_tokens, tale.state->tokens);
}

TEST(Preparer, PutsACacheDirectlyBeforeARawPrompt) {
  for (const std::string end : {" and th", " caf\xc3", "\n", " x"}) {
    Preparer some = preparer();
    const std::string text = words(100) + end;
    const auto cached = some.prepare(raw("e end.", {with_state(&some, text, StateFormat::kRaw)}));
    const auto cold = some.prepare(raw("e end.", {{"tale", {{.text = text}}, {}, ""}}));
    ASSERT_TRUE(cached) << end;
    EXPECT_EQ(cached->task.tokens, vocabulary("qwen2").tokenize_text(text + "e end.").value());
    EXPECT_EQ(cached->task.tokens, cold->task.tokens);
    EXPECT_EQ(cached->task.cuts, cold->task.cuts);
    EXPECT_TRUE(cached->task.prefix) << end;
  }
}

TEST(Preparer, LeavesATokenToDecodeWhenTheCacheIsTheWholePrompt) {
  Preparer some = preparer();
  const auto prepared = some.prepare(raw("", {with_state(&some, words(100), StateFormat::kRaw)}));
  ASSERT_TRUE(prepared);
  ASSERT_TRUE(prepared->task.prefix);
  EXPECT_LT(prepared->task.prefix->reuse_tokens, prepared->answer.prompt_tokens);
}

TEST(Preparer, TakesTheLongestCacheThatFitsWhetherOrNotItHasAState) {
  Preparer some = preparer();
  const CacheReference ready = with_state(&some, words(100));
  const CacheReference longer = {"longer", {{.text = words(200)}}, {}, "no state yet"};
  const CacheReference too_long = {"too long", {{.text = words(2000)}}, {}, ""};
  const auto prepared = some.prepare(chat({{"user", "Hi."}}, {ready, longer, too_long}));
  ASSERT_TRUE(prepared);
  EXPECT_EQ(prepared->answer.cache.name, "longer");
  EXPECT_EQ(some.prepare(chat({{"user", "Hi."}}, {too_long})).error().code, ErrorCode::kContextLengthExceeded);
}

TEST(Preparer, AnswersTextPromptsOfAModelWithoutAChatTemplate) {
  const Vocabulary words_of = vocabulary("gpt-2");
  Preparer plain({.tokenize_text = [words_of](std::string_view text) { return words_of.tokenize_text(text); },
                  .tokenize_chat = [words_of](std::string_view text) { return words_of.tokenize_chat(text); },
                  .chat_template = ChatTemplate::create(words_of.model(), ""),
                  .context_tokens = kContext,
                  .block_tokens = kBlock});
  EXPECT_TRUE(plain.prepare(raw("Hello")));
  EXPECT_EQ(plain.prepare(chat({{"user", "Hi."}})).error().message, "This model has no chat template.");
  EXPECT_EQ(plain.plan_state({{.text = "text"}}, StateFormat::kChat).error().code, ErrorCode::kUnsupported);
}

TEST(Preparer, PlansAStateInBlocksUpToTheBorder) {
  const auto plan = preparer().plan_state({{.text = words(150)}}, StateFormat::kRaw);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->cuts.back(), plan->tokens.size());
  EXPECT_THAT(plan->cuts, ElementsAre(64, 128, plan->tokens.size()));
}

TEST(Preparer, PlansNoStateThatCannotBeUsed) {
  EXPECT_EQ(preparer().plan_state({{.text = ""}}, StateFormat::kRaw).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(preparer().plan_state({{.text = words(2000)}}, StateFormat::kChat).error().code,
            ErrorCode::kContextLengthExceeded);
}

}  // namespace
}  // namespace rockllama
