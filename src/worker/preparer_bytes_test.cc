// The preparer where there is no tokenizer: each byte of a text stands for a token.
#include <gmock/gmock.h>

#include "base/hash.h"
#include "engines/rkllm/byte_tokens.h"
#include "engines/rkllm/prompt_mode.h"
#include "worker/preparer.h"

namespace rockllama {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t kByteContext = 1000;
constexpr uint32_t kByteBlock = 64;
const std::string kByteText = "Answer in plain words, name the source of what you say, and never guess. Be short.";

protocol::Prepare byte_chat(std::vector<ChatMessage> messages, std::vector<CacheReference> caches = {}) {
  return {.id = 7, .prompt = ChatPrompt{std::move(messages)}, .caches = std::move(caches)};
}

protocol::Prepare byte_text(const std::string& text) { return {.id = 7, .prompt = TextPrompt{text}}; }

// With a state as save_state would have made it.
CacheReference byte_cache(Preparer* preparer) {
  const auto plan = preparer->plan_state({{.text = kByteText}}, StateFormat::kChat).value();
  return {"tale",
          {{.text = kByteText}},
          StateKey{"tale/chat/1", static_cast<uint32_t>(plan.tokens.size()), hash_tokens(plan.tokens), 20}};
}

Preparer byte_preparer() {
  const auto bytes = [](std::string_view text) { return Result<std::vector<int32_t>>(rkllm::bytes_as_tokens(text)); };
  return Preparer({.tokenize_text = bytes,
                   .tokenize_chat = bytes,
                   .chat_template = ChatTemplate::create(nullptr, std::string(rkllm::native_template())),
                   .context_tokens = kByteContext,
                   .block_tokens = kByteBlock,
                   .counts_bytes = true});
}

std::string native_text(const std::vector<ChatMessage>& messages) {
  return rkllm::text_of_bytes(byte_preparer().prepare(byte_chat(messages)).value().task.tokens);
}

TEST(PreparerBytes, MakeOneTurnOfAConversationForARuntimeThatRendersItself) {
  EXPECT_EQ(native_text({{"user", "Hi."}}), "Hi.");
  EXPECT_EQ(native_text({{"system", "Be kind."}, {"user", "Hi."}}), "Be kind.\n\nHi.");
  EXPECT_EQ(native_text({{"system", "Be kind."}, {"user", "Hi."}, {"assistant", "Hello."}, {"user", "Why?"}}),
            "Be kind.\n\nuser: Hi.\n\nassistant: Hello.\n\nuser: Why?");
}

TEST(PreparerBytes, ClaimNoTokenCountAndLeaveTheRoomThatThereIs) {
  auto command = byte_chat({{"user", kByteText}});
  command.options.max_tokens = 20;
  const auto prepared = byte_preparer().prepare(command);
  ASSERT_TRUE(prepared);
  EXPECT_EQ(prepared->answer.prompt_tokens, 0u);
  EXPECT_EQ(prepared->answer.prefill_tokens, 0u);
  EXPECT_EQ(prepared->answer.max_tokens, 20);
}

TEST(PreparerBytes, RefuseWhatByItsLengthCannotFit) {
  EXPECT_TRUE(byte_preparer().prepare(byte_text(std::string(kByteContext * 3, 'x'))));
  const auto refused = byte_preparer().prepare(byte_text(std::string(kByteContext * 5, 'x')));
  EXPECT_EQ(refused.error().code, ErrorCode::kContextLengthExceeded);
  EXPECT_THAT(refused.error().message, HasSubstr("is 1000 tokens. However, your prompt resulted in about 1250"));
}

TEST(PreparerBytes, ReuseAStateOfTheTextBeforeTheBorder) {
  Preparer prepare = byte_preparer();
  const CacheReference cache = byte_cache(&prepare);
  const auto prepared = prepare.prepare(byte_chat({{"user", "Hi."}}, {cache}));
  ASSERT_TRUE(prepared);
  ASSERT_TRUE(prepared->task.prefix);
  EXPECT_EQ(prepared->task.prefix->reuse_tokens, kByteText.size() + 2);
  EXPECT_EQ(rkllm::text_of_bytes(prepared->task.tokens), kByteText + "\n\nHi.");
}

}  // namespace
}  // namespace rockllama
