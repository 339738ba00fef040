#include "service/questions.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <future>

#include "tests/support/service_fixture.h"

namespace rockllama::test {
namespace {

using ::testing::Contains;
using ::testing::SizeIs;

class QuestionsTest : public ServiceFixture {
 protected:
  ~QuestionsTest() override {
    if (service) service->stop();
  }
  std::future<Result<QuestionDone>> ask(const std::string& model, std::vector<EmbeddingInput> inputs) {
    const auto answer = std::make_shared<std::promise<Result<QuestionDone>>>();
    cancel = service->questions().ask({"", model, EmbeddingsQuestion{std::move(inputs)}},
                                      [answer](Result<QuestionDone> done) { answer->set_value(std::move(done)); });
    return answer->get_future();
  }
  Questions::Cancel cancel;
};

TEST_F(QuestionsTest, LoadsTheModelAndAsksItsWorker) {
  begin();
  const auto done = ask("m", {"a", "b"}).get();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->model, "m");
  EXPECT_THAT(std::get<Embeddings>(done->answer).vectors, SizeIs(2));
}

TEST_F(QuestionsTest, RefuseAModelThatThereIsNot) {
  begin();
  EXPECT_EQ(ask("no", {"a"}).get().error().code, ErrorCode::kModelNotFound);
}

TEST_F(QuestionsTest, AreAskedOnceMoreWhenTheWorkerDies) {
  script->deaths_on_question = 1;
  begin();
  EXPECT_TRUE(ask("m", {"a"}).get());
  script->deaths_on_question = 2;
  EXPECT_EQ(ask("m", {"a"}).get().error().code, ErrorCode::kInternal);
}

TEST_F(QuestionsTest, CountTheTokensOfAChatWithoutStartingIt) {
  begin();
  CompletionRequest request = chat("hi");
  request.only_count = true;
  std::promise<CompletionEvent> first;
  service->completions().run(std::move(request), 1, [&](const CompletionEvent& event) { first.set_value(event); });
  const CompletionEvent event = first.get_future().get();
  ASSERT_TRUE(std::holds_alternative<CompletionCounted>(event));
  EXPECT_EQ(std::get<CompletionCounted>(event).prompt_tokens, 10u);
  EXPECT_EQ(std::get<CompletionCounted>(event).model, "m");
  complete(chat("hi"));  // nothing of the count is in the way
  const std::lock_guard lock(said_mutex);
  EXPECT_EQ(std::count(said->begin(), said->end(), "start m text"), 1);
}

TEST_F(QuestionsTest, TellTheWorkerOfACancel) {
  script->hold_answers = true;
  begin();
  auto answer = ask("m", {"a"});
  const auto was_said = [this](const std::string& what) {
    const std::lock_guard lock(said_mutex);
    return std::find(said->begin(), said->end(), what) != said->end();
  };
  ASSERT_TRUE(wait_until([&] { return was_said("ask m"); }));
  cancel();
  EXPECT_EQ(answer.get().error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(wait_until([&] { return was_said("cancel m"); }));
}

}  // namespace
}  // namespace rockllama::test
