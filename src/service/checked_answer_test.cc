#include "service/checked_answer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>

#include "tests/support/service_fixture.h"

namespace rockllama::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Result<std::string> fits_if_it_is_json(const std::string& answer) {
  if (answer != " {} ") return fail(ErrorCode::kInvalidArgument, "it is no JSON");
  return std::string("{}");
}

ChatPrompt chat_for_json() { return {.messages = {{"system", "s"}, {"user", "Hi."}}, .answer_schema = R"({"a":1})"}; }

TEST(CheckedAnswer, IsAskedForAtTheEndOfThePrompt) {
  ChatPrompt chat = chat_for_json();
  CheckedAnswer::ask_in_words(&chat);
  EXPECT_EQ(chat.answer_schema, "");
  EXPECT_EQ(chat.messages.front().content, "s");
  EXPECT_THAT(chat.messages.back().content, ::testing::StartsWith("Hi.\n"));
  EXPECT_THAT(chat.messages.back().content, ::testing::EndsWith(R"({"a":1})"));
}

TEST(CheckedAnswer, IsToldWithoutWhatStandsAroundIt) {
  ChatPrompt chat = chat_for_json();
  CheckedAnswer answer(fits_if_it_is_json);
  answer.add({.text = " {", .reasoning = "r"});
  answer.add({.text = "} "});
  EXPECT_TRUE(answer.settle(FinishReason::kStop, &chat));
  EXPECT_EQ(answer.told(), (AnswerPiece{.text = "{}", .reasoning = "r"}));
  EXPECT_THAT(answer.warning(), HasSubstr("fits"));
}

TEST(CheckedAnswer, IsAskedForOnceMore) {
  ChatPrompt chat = chat_for_json();
  CheckedAnswer answer(fits_if_it_is_json);
  answer.add({.text = "Hello."});
  EXPECT_FALSE(answer.settle(FinishReason::kStop, &chat));
  ASSERT_THAT(chat.messages, SizeIs(4));
  EXPECT_EQ(chat.messages[2], (ChatMessage{"assistant", "Hello."}));
  EXPECT_THAT(chat.messages[3].content, HasSubstr("it is no JSON"));
  answer.begin();
  answer.add({.text = "Hello again."});
  EXPECT_TRUE(answer.settle(FinishReason::kStop, &chat));
  EXPECT_EQ(answer.told().text, "Hello again.");
  EXPECT_THAT(answer.warning(), HasSubstr("does not fit it: it is no JSON"));
}

TEST(CheckedAnswer, IsToldAsItIsWhereItWasCutOff) {
  ChatPrompt chat = chat_for_json();
  CheckedAnswer answer(fits_if_it_is_json);
  answer.add({.text = "{"});
  EXPECT_TRUE(answer.settle(FinishReason::kLength, &chat));
  EXPECT_EQ(answer.told().text, "{");
  EXPECT_THAT(answer.warning(), HasSubstr("before it could be checked"));
}

class CheckedAnswerFlow : public ServiceFixture {
 protected:
  // A request whose answer fits from the `fitting`th check on.
  CompletionRequest request(int fitting) {
    CompletionRequest request = chat("x");
    std::get<ChatPrompt>(request.prompt).answer_schema = "{}";
    request.make_answer_check = [this, fitting] {
      return Result<AnswerCheck>([this, fitting](const std::string&) -> Result<std::string> {
        if (++checks < fitting) return fail(ErrorCode::kInvalidArgument, "no");
        return std::string("{}");
      });
    };
    return request;
  }
  size_t starts() {
    const std::lock_guard lock(said_mutex);
    return static_cast<size_t>(std::count(said->begin(), said->end(), "start m text"));
  }
  std::atomic<int> checks = 0;
};

TEST_F(CheckedAnswerFlow, RunsOnceWhereTheAnswerFits) {
  begin();
  const CompletionDone done = complete(request(1));
  EXPECT_EQ(starts(), 1u);
  EXPECT_EQ(done.usage.completion_tokens, 1u);
  EXPECT_THAT(done.warnings, ElementsAre(HasSubstr("checked and fits")));
}

TEST_F(CheckedAnswerFlow, RunsTwiceAndCountsBoth) {
  begin();
  const CompletionDone done = complete(request(2));
  EXPECT_EQ(starts(), 2u);
  EXPECT_EQ(done.usage.prompt_tokens, 10u);
  EXPECT_EQ(done.usage.completion_tokens, 2u);
  EXPECT_THAT(done.warnings, ElementsAre(HasSubstr("second answer fits")));
}

TEST_F(CheckedAnswerFlow, NeverRunsAThirdTime) {
  begin();
  const CompletionDone done = complete(request(3));
  EXPECT_EQ(starts(), 2u);
  EXPECT_THAT(done.warnings, ElementsAre(HasSubstr("does not fit")));
}

TEST_F(CheckedAnswerFlow, RefusesWhatCannotBeChecked) {
  begin();
  CompletionRequest unchecked = request(1);
  unchecked.make_answer_check = [] {
    return Result<AnswerCheck>(fail(ErrorCode::kUnsupported, "it refers to itself", "response_format"));
  };
  EXPECT_EQ(fail_to_complete(unchecked).param, "response_format");
  unchecked.make_answer_check = {};
  EXPECT_EQ(fail_to_complete(unchecked).code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace rockllama::test
