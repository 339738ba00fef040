#include "protocol/codec.h"

#include <gmock/gmock.h>

#include <set>

namespace rockllama::protocol {
namespace {

SamplingParams full_sampling() {
  return {.temperature = 0.5f,
          .top_p = 0.25f,
          .top_k = -3,
          .min_p = 0.125f,
          .repeat_penalty = 1.5f,
          .frequency_penalty = -2.0f,
          .presence_penalty = 2.0f,
          .mirostat = 2,
          .mirostat_tau = 5.0f,
          .mirostat_eta = 0.1f,
          .seed = 0xffffffffu,
          .logit_bias = {{-1, 100.0f}, {151643, -100.0f}}};
}

StateKey state_key() { return {"coding/chat/7", 300, {0x0123456789abcdefu, 0xfedcba9876543210u}}; }

CacheUse cache_use() { return {"coding", CacheTier::kDisk, 256, 3.5, "parent", "border falls inside a block", true}; }

ChatTool chat_tool() { return {"clock", "Tells the time.", R"({"type":"object"})"}; }

CacheLine cache_line() { return {{.text = "text"}, {.messages = {{"user", "Hi."}}, .tools = {chat_tool()}}}; }

KnownState known_state() {
  return {"coding", StateFormat::kRaw, state_key(), {256, {5, 6}}, {256, 300}, {{256, {1, 2}}, {300, {3, 4}}}, {7, 8}};
}

Prepare full_prepare() {
  const ChatPrompt chat{.messages = {{"system", "Be brief.", "n", "t", "r", {{"id", "clock", "{}"}}},
                                     {"user", std::string("h\0\xff", 3)}},
                        .enable_thinking = true,
                        .tools = {chat_tool()},
                        .tool_choice = ToolChoice::kRequired,
                        .required_tool = "clock",
                        .parallel_tool_calls = false,
                        .answer_schema = "{}",
                        .template_arguments = {{"mood", R"("calm")"}}};
  const GenerationOptions options{full_sampling(), -1, {"\n\n", "END"}, ReusePolicy::kExact, 3};
  return {.id = ~0ull,
          .prompt = chat,
          .options = options,
          .caches = {{"coding", {{.text = "You are"}}, state_key(), ""}, {"other", cache_line(), {}, "stale"}},
          .salt = {5, 6}};
}

// One of each message, every field away from its default.
std::vector<Command> commands() {
  const ModelSpec spec{.name = "m",
                       .engine = EngineKind::kScripted,
                       .file = "models/m/model.gguf",
                       .tokenizer_file = "tokenizer.gguf",
                       .chat_template = "{{ messages }}",
                       .context_tokens = 4096,
                       .kv_tokens = 16384,
                       .parallel = 7,
                       .block_tokens = 128,
                       .threads = 3,
                       .automatic_reuse = false,
                       .automatic_memory_bytes = 1ull << 35,
                       .offer_evicted = true,
                       .sampling_defaults = full_sampling(),
                       .default_max_tokens = 99,
                       .embedding = {"last", false, 512}};
  return {Hello{9},
          Load{spec},
          full_prepare(),
          Prepare{5, TextPrompt{"raw", {1, 2}, "end", true}, {}, {}},
          Start{300, 64},
          Cancel{1},
          Credit{2, 128},
          SaveState{3, StateFormat::kRaw, cache_line()},
          Lend{3, {"m/a/chat/1", 12, {1, 2}}},
          KnownStates{true, {"m/a/chat/1"}, {known_state()}},
          Keep{6, 1ull << 40},
          Ask{7, EmbeddingsQuestion{{"text", std::vector<int32_t>{1, -2}}}},
          Ask{8, TokenizeQuestion{"text", true, false}},
          Ask{8, DetokenizeQuestion{{1, 2}}},
          Ask{8, TemplateQuestion{{{{"user", "Hi."}}, true, {chat_tool()}}}},
          Shutdown{}};
}

std::vector<Event> events() {
  const LoadedModel model{.capabilities = {8, true, true, true, true, true, true},
                          .context_tokens = 8192,
                          .trained_context_tokens = 131072,
                          .kv_bytes_per_token = 1ull << 40,
                          .engine_version = "llama.cpp b1",
                          .engine_fingerprint = "avx2",
                          .has_chat_template = true};
  const SavedState saved{300, {1, 2}, {256, {5, 6}}, 1ull << 33, {256, 300}, 12.5, 13.75, "folded"};
  return {Hello{9},
          Loaded{model},
          LoadFailed{"no such file"},
          Prepared{4, 310, 20, 54, cache_use(), {state_key()}, true},
          Restoring{4, "coding/chat/7"},
          Started{4, cache_use()},
          Progress{4, 256, 310},
          Tokens{4, 2, {"h\xc3\xa9", "r", {{1, "id", "name", "{}"}}, {{{"a", -0.5F}, {{"b", -1.5F}}}}}},
          Finished{4, FinishReason::kLength, {310, 20, 1.5, 2.5}},
          Failed{4, ErrorCode::kContextLengthExceeded, "too long", "messages"},
          StateSaved{5, saved},
          Answered{7, Embeddings{{{0.5F, -1}, {}}, 9}},
          Answered{8, Tokenized{{1, 2}, {"a", "\xc3"}}},
          Answered{8, PlainText{"h\xc3\xa9"}},
          Offered{7, known_state(), 1ull << 33, 0.5},
          Figures{{480.5, 2.5e9, 1, 2, 1ull << 34}}};
}

template <class Message>
size_t kinds(const std::vector<Message>& messages) {
  std::set<size_t> indices;
  for (const Message& message : messages) indices.insert(message.index());
  return indices.size();
}

TEST(Codec, GivesEveryCommandBack) {
  EXPECT_EQ(kinds(commands()), std::variant_size_v<Command>);
  for (const Command& command : commands()) EXPECT_EQ(decode_command(encode(command)), command) << command.index();
}

TEST(Codec, GivesEveryEventBack) {
  EXPECT_EQ(kinds(events()), std::variant_size_v<Event>);
  for (const Event& event : events()) EXPECT_EQ(decode_event(encode(event)), event) << event.index();
}

TEST(Codec, RefusesEveryTruncation) {
  for (const Command& command : commands()) {
    const std::string bytes = encode(command);
    for (size_t size = 0; size < bytes.size(); ++size) {
      const auto decoded = decode_command(std::string_view(bytes).substr(0, size));
      ASSERT_FALSE(decoded) << "message " << command.index() << " cut to " << size;
      EXPECT_EQ(decoded.error().code, ErrorCode::kCorrupt);
    }
  }
  for (const Event& event : events()) {
    const std::string bytes = encode(event);
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode_event(std::string_view(bytes).substr(0, size))) << event.index() << " cut to " << size;
    }
  }
}

TEST(Codec, RefusesBytesBehindTheMessage) {
  for (const Event& event : events()) EXPECT_FALSE(decode_event(encode(event) + '\0')) << event.index();
}

// What a flipped byte decodes to, if to anything, must be a whole message: it can be encoded again.
template <class Message, class Decode>
void expect_survives_flips(const Message& message, Decode decode) {
  const std::string good = encode(message);
  for (size_t at = 0; at < good.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string bytes = good;
      bytes[at] = static_cast<char>(bytes[at] ^ flip);
      const auto decoded = decode(bytes);
      EXPECT_TRUE(!decoded || decode(encode(*decoded))) << "message " << message.index() << " flipped at " << at;
    }
  }
}

TEST(Codec, SurvivesAFlippedByteAtEveryPosition) {
  for (const Command& command : commands()) expect_survives_flips(command, decode_command);
  for (const Event& event : events()) expect_survives_flips(event, decode_event);
}

TEST(Codec, RefusesAnEnumOutOfRange) {
  std::string bytes = encode(Event(Finished{1, FinishReason::kLength, {}}));
  bytes[2] = 3;
  EXPECT_FALSE(decode_event(bytes));
}

TEST(Codec, RefusesAnIntegerThatIsTooLarge) {
  std::string bytes = encode(Command(Credit{1, 0xffffffffu}));
  EXPECT_TRUE(decode_command(bytes));
  bytes.back() = 0x1f;
  EXPECT_FALSE(decode_command(bytes));
}

TEST(Codec, RefusesACountBeyondTheFrame) { EXPECT_FALSE(decode_event(std::string("\x02\xff\xff\xff\xff\x7f", 6))); }

TEST(Codec, IsCompactForTokens) { EXPECT_EQ(encode(Event(Tokens{100, 1, {"the"}})).size(), 10u); }

}  // namespace
}  // namespace rockllama::protocol
