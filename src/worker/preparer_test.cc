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

// -- messages, tools, lines ---------------------------------------------------------------------------------------

const ChatMessage kAsked = {"user", "What is two and two?"};
const ChatMessage kAnswered = {"assistant", "Four."};
const ChatTool kWeather = {"weather", "Tells the weather.",
                           R"({"properties":{"town":{"type":"string"}},"type":"object"})"};

CacheReference shots(std::vector<ChatTool> tools = {}) {
  return {"shots", {{.messages = {{"system", words(80)}, kAsked, kAnswered}, .tools = std::move(tools)}}};
}

KnownState known_of(Preparer* preparer, const std::string& name, const CacheLine& line,
                    StateFormat format = StateFormat::kChat) {
  const auto plan = preparer->plan_state(line, format).value();
  const auto size = static_cast<uint32_t>(plan.tokens.size());
  return {.name = name,
          .format = format,
          .key = {"m/" + name + "/" + to_string(format) + "/1", size, hash_tokens(plan.tokens)},
          .anchor = anchor_of(plan.tokens),
          .cuts = plan.cuts};
}

TEST(PreparerContent, FindsTheBorderOfMessagesAndToolsInsideEveryRequestOverThem) {
  constexpr Family kFamilies[] = {kQwen,
                                  kGemma,
                                  {"qwen2", "Qwen-Qwen3-0.6B"},
                                  {"llama-bpe", "meta-llama-Llama-3.1-8B-Instruct"},
                                  {"llama-bpe", "meta-llama-Llama-3.2-3B-Instruct"},
                                  {"llama-spm", "mistralai-Mistral-Nemo-Instruct-2407"},
                                  {"gpt-2", "HuggingFaceTB-SmolLM3-3B"}};
  for (const Family& family : kFamilies) {
    Preparer some = preparer(family);
    const CacheReference cache = shots({kWeather});
    const auto plan = some.plan_state(cache.line, StateFormat::kChat);
    ASSERT_TRUE(plan) << family.chat_template << ": " << plan.error().message;
    EXPECT_GT(plan->tokens.size(), 80u) << family.chat_template;
    for (const std::string text : {"And three and three?", "1", "\n x"}) {
      const auto prepared = some.prepare(chat({{"user", text}}, {cache}));
      ASSERT_TRUE(prepared) << family.chat_template;
      EXPECT_TRUE(std::equal(plan->tokens.begin(), plan->tokens.end(), prepared->task.tokens.begin()))
          << family.chat_template << " with " << text;
    }
  }
}

TEST(PreparerContent, AnswersWithoutACacheThatTheTemplateRefusesAndSaysWhy) {
  Preparer some = preparer(kGemma);
  const CacheReference odd = {"odd", {{.messages = {kAnswered}}}};
  const auto prepared = some.prepare(chat({{"user", "Hi."}}, {odd}));
  ASSERT_TRUE(prepared);
  EXPECT_EQ(prepared->task.tokens, some.prepare(chat({{"user", "Hi."}}))->task.tokens);
  EXPECT_EQ(prepared->answer.cache.name, "");
  EXPECT_THAT(prepared->task.no_state_reason, HasSubstr("answered without cache 'odd': The chat template refuses"));
  EXPECT_FALSE(some.plan_state(odd.line, StateFormat::kChat));
}

TEST(PreparerContent, AnswersARawPromptWithoutACacheOfMessages) {
  Preparer some = preparer();
  const auto prepared = some.prepare(raw("Hello", {shots()}));
  ASSERT_TRUE(prepared);
  EXPECT_EQ(prepared->task.tokens, vocabulary("qwen2").tokenize_text("Hello").value());
  EXPECT_THAT(prepared->answer.cache.reason, HasSubstr("has no raw rendering"));
  EXPECT_EQ(some.plan_state(shots().line, StateFormat::kRaw).error().code, ErrorCode::kUnsupported);
}

TEST(PreparerContent, JoinsTheTextsOfALineByteForByteBeforeARawPrompt) {
  const CacheReference child = {"child", {{.text = words(70)}, {.text = " caf\xc3"}}};
  const auto prepared = preparer().prepare(raw("\xa9 au lait", {child}));
  ASSERT_TRUE(prepared);
  EXPECT_EQ(prepared->task.tokens, vocabulary("qwen2").tokenize_text(words(70) + " caf\xc3\xa9 au lait").value());
}

TEST(PreparerContent, CutsALineAtTheBorderOfWhatItContinues) {
  for (const StateFormat format : {StateFormat::kChat, StateFormat::kRaw}) {
    Preparer some = preparer();
    const CacheLine parent = {{.text = words(100)}};
    const CacheLine child = {parent.front(), {.text = " " + words(90)}};
    const StatePlan of_parent = some.plan_state(parent, format).value();
    const StatePlan of_child = some.plan_state(child, format).value();
    ASSERT_GT(of_child.cuts.size(), of_parent.cuts.size());
    EXPECT_TRUE(std::equal(of_parent.cuts.begin(), of_parent.cuts.end(), of_child.cuts.begin()));
    const StateKey lent = {"m/p/chat/1", of_parent.cuts.back(), hash_tokens(of_parent.tokens)};
    EXPECT_EQ(some.plan_state(child, format, &lent)->base_tokens, lent.tokens);
    StateKey other = lent;
    other.token_hash.low ^= 1;
    EXPECT_EQ(some.plan_state(child, format, &other)->base_tokens, 0u);
  }
}

TEST(PreparerContent, TakesTheStateOfTheParentWhereTheChildHasNone) {
  Preparer some = preparer();
  const CacheLine parent = {{.text = words(100)}};
  const CacheReference child = {"child", {parent.front(), {.messages = {kAsked, kAnswered}}}, {}, "no state yet"};
  some.know({.reset = true, .added = {known_of(&some, "parent", parent)}});
  const auto prepared = some.prepare(chat({{"user", "Hi."}}, {child}));
  ASSERT_TRUE(prepared && prepared->task.prefix);
  EXPECT_EQ(prepared->answer.cache.name, "child");
  EXPECT_EQ(prepared->answer.cache.state_of, "parent");
  EXPECT_EQ(prepared->task.prefix->reuse_tokens, prepared->task.prefix->key.tokens);
  EXPECT_THAT(prepared->reason, HasSubstr("no state yet; the state of 'parent' serves"));
  Preparer alone = preparer();
  EXPECT_EQ(alone.prepare(chat({{"user", "Hi."}}, {child}))->task.cuts, prepared->task.cuts);
}

// -- states that are found without being asked for --------------------------------------------------------------

TEST(PreparerKnown, ResolvesToTheLongestNamedStateThatThePromptBeginsWith) {
  Preparer some = preparer();
  const CacheLine text = {{.text = words(80)}};
  const CacheLine longer = {{.messages = {{"system", words(80)}, kAsked, kAnswered}}};
  some.know({.reset = true, .added = {known_of(&some, "text", text), known_of(&some, "longer", longer)}});
  const std::vector<ChatMessage> messages = {{"system", words(80)}, kAsked, kAnswered, {"user", "Hi."}};
  const auto found = some.prepare(chat(messages));
  const auto asked = preparer().prepare(chat({{"user", "Hi."}}, {{"longer", longer}}));
  ASSERT_TRUE(found && found->task.prefix);
  EXPECT_EQ(found->answer.cache.name, "longer");
  EXPECT_EQ(found->task.cache_name, "longer");
  EXPECT_EQ(found->task.tokens, asked->task.tokens);
  EXPECT_EQ(found->task.cuts, asked->task.cuts);
  EXPECT_EQ(some.prepare(chat({{"system", words(80)}, {"user", "Hi."}}))->answer.cache.name, "text");
  EXPECT_EQ(some.prepare(chat({{"user", "Hi."}}))->answer.cache.name, "");

  auto without = chat(messages);
  without.options.reuse = ReusePolicy::kNone;
  const auto cold = some.prepare(without);
  EXPECT_EQ(cold->task.cuts, found->task.cuts);
  EXPECT_EQ(cold->answer.cache.name, "");
  EXPECT_FALSE(cold->task.prefix);
  EXPECT_THAT(cold->answer.state, IsEmpty());
}

TEST(PreparerKnown, FindsARawStateOnlyForARawPrompt) {
  Preparer some = preparer();
  some.know({.reset = true, .added = {known_of(&some, "raw", {{.text = words(80)}}, StateFormat::kRaw)}});
  EXPECT_EQ(some.prepare(raw(words(80) + " More."))->answer.cache.name, "raw");
  EXPECT_EQ(some.prepare(chat({{"system", words(80)}, {"user", "Hi."}}))->answer.cache.name, "");
}

TEST(PreparerKnown, PassesOverAStateWhoseCutsAreBroken) {
  Preparer some = preparer();
  KnownState broken = known_of(&some, "text", {{.text = words(80)}});
  broken.cuts = {5000, 3};
  some.know({.reset = true, .added = {broken}});
  const auto prepared = some.prepare(chat({{"system", words(80)}, {"user", "Hi."}}));
  ASSERT_TRUE(prepared);
  EXPECT_EQ(prepared->answer.cache.name, "");
  EXPECT_EQ(prepared->task.cuts, preparer().prepare(chat({{"system", words(80)}, {"user", "Hi."}}))->task.cuts);
}

TEST(PreparerKnown, GoesOnFromAnAutomaticStateThatReachesFartherThanTheNamedOne) {
  Preparer some = preparer();
  const CacheReference tale = with_state(&some, words(100));
  const std::vector<ChatMessage> messages = {{"user", words(60)}, kAnswered, {"user", "Hi."}};
  const std::vector<int32_t> tokens = some.prepare(chat(messages, {tale}))->task.tokens;
  const std::span<const int32_t> talk = std::span(tokens).first(tokens.size() - 5);
  const auto point = static_cast<uint32_t>(tokens.size() - 30);
  KnownState automatic = {.key = {"m/auto/1-aa", static_cast<uint32_t>(talk.size()), hash_tokens(talk)},
                          .points = {{point, hash_tokens(talk.first(point))}},
                          .salt = {1, 2}};
  some.know({.reset = true, .added = {automatic}});
  auto command = chat(messages, {tale});
  EXPECT_EQ(some.prepare(command)->answer.cache.name, "tale");
  command.salt = {1, 2};
  const auto prepared = some.prepare(command);
  ASSERT_TRUE(prepared && prepared->task.prefix);
  EXPECT_EQ(prepared->answer.cache.name, "");
  EXPECT_THAT(prepared->answer.state, ElementsAre(automatic.key));
  EXPECT_EQ(prepared->task.prefix->reuse_tokens, talk.size());
  EXPECT_TRUE(prepared->task.prefix->automatic);
  EXPECT_THAT(prepared->task.cuts, ::testing::Contains(talk.size()));
  command.options.reuse = ReusePolicy::kExact;
  EXPECT_EQ(some.prepare(command)->answer.cache.name, "tale");

  command.options.reuse = ReusePolicy::kAll;
  std::get<ChatPrompt>(command.prompt).messages.back().content = "Another question.";
  EXPECT_EQ(some.prepare(command)->task.prefix->reuse_tokens, point);
}

}  // namespace
}  // namespace rockllama
