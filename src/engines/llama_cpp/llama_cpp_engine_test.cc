#include "engines/llama_cpp/llama_cpp_engine.h"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "tests/support/llama_engine_run.h"

namespace rockllama {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

size_t index_of(const std::vector<std::string>& events, const std::string& event) {
  return static_cast<size_t>(std::find(events.begin(), events.end(), event) - events.begin());
}

TEST(LlamaCppEngine, SaysWhatItCanDo) {
  LlamaEngineRun run;
  const LoadedModel& model = run.engine().model();
  EXPECT_EQ(model.capabilities.max_parallel, 3u);
  EXPECT_TRUE(model.capabilities.state_save);
  EXPECT_EQ(model.context_tokens, 2048u);
  EXPECT_EQ(model.trained_context_tokens, 8192u);
  // Layers x KV heads x 64 channels x K and V x 2 bytes: of the demo model, or of tests/support/cut_model.cc.
  EXPECT_THAT(model.kv_bytes_per_token, AnyOf(30u * 3 * 64 * 2 * 2, 2u * 1 * 64 * 2 * 2));
  EXPECT_TRUE(model.has_chat_template);
  EXPECT_THAT(model.engine_fingerprint, HasSubstr("block 128"));
}

TEST(LlamaCppEngine, GeneratesUpToMaxTokensAndCountsThem) {
  LlamaEngineRun run;
  const auto& outcome = run.run(run.task(1, test_tokens(150), 5));
  EXPECT_EQ(outcome.finished, FinishReason::kLength);
  EXPECT_EQ(outcome.tokens.size(), 5u);
  EXPECT_NE(outcome.text, "");
  EXPECT_EQ(outcome.usage.prompt_tokens, 150u);
  EXPECT_EQ(outcome.usage.completion_tokens, 5u);
  EXPECT_EQ(outcome.cache->tier, CacheTier::kNone);
  EXPECT_FALSE(run.engine().step());
}

TEST(LlamaCppEngine, StopsWhenTheSinkSaysSo) {
  LlamaEngineRun run;
  run.stop_after[1] = 3;
  const auto& outcome = run.run(run.task(1, test_tokens(20), 50));
  EXPECT_EQ(outcome.finished, FinishReason::kStop);
  EXPECT_EQ(outcome.tokens.size(), 3u);
}

TEST(LlamaCppEngine, StopsAtTheEndOfTheTurnAndKeepsItsTokenBack) {
  LlamaEngineRun run;
  const Vocabulary vocabulary(test_model());
  GenerationTask task = run.task(1, test_tokens(20), 50);
  task.sampling.logit_bias = {{llama_vocab_eot(vocabulary.vocab()), 1000.0F}};
  const auto& outcome = run.run(std::move(task));
  EXPECT_EQ(outcome.finished, FinishReason::kStop);
  EXPECT_TRUE(outcome.tokens.empty());
}

TEST(LlamaCppEngine, GivesTwoGenerationsTokensInTurn) {
  LlamaEngineRun run;
  run.engine().start(run.task(1, test_tokens(20), 10));
  run.engine().start(run.task(2, test_tokens(20, 1), 10));
  run.run();
  const auto first_of_2 = run.events.begin() + static_cast<std::ptrdiff_t>(index_of(run.events, "token 2"));
  std::vector<std::string> rest(first_of_2, first_of_2 + 8);
  EXPECT_EQ(std::count(rest.begin(), rest.end(), "token 1"), 4);
  EXPECT_EQ(std::count(rest.begin(), rest.end(), "token 2"), 4);
}

TEST(LlamaCppEngine, DoesNotStopARunningStreamForALongPrefill) {
  LlamaEngineRun run;
  run.engine().start(run.task(1, test_tokens(20), 40));
  run.run_until(1, 2);
  run.engine().start(run.task(2, test_tokens(600, 1), 3));
  run.run();
  size_t last = index_of(run.events, "prefill 2");
  for (size_t i = last + 1; i < run.events.size(); ++i) {
    if (run.events[i] != "prefill 2") continue;
    EXPECT_THAT(std::vector<std::string>(run.events.begin() + static_cast<std::ptrdiff_t>(last),
                                         run.events.begin() + static_cast<std::ptrdiff_t>(i)),
                Contains("token 1"));
    last = i;
  }
  EXPECT_EQ(run.outcomes[2].tokens.size(), 3u);
}

TEST(LlamaCppEngine, PrefillsTwoPromptsInTurn) {
  LlamaEngineRun run;
  run.engine().start(run.task(1, test_tokens(260), 1));
  run.engine().start(run.task(2, test_tokens(260, 1), 1));
  run.run();
  EXPECT_LT(index_of(run.events, "prefill 2"), index_of(run.events, "token 1"));
}

TEST(LlamaCppEngine, MakesAStateBetweenTheStepsOfAGeneration) {
  LlamaEngineRun run;
  run.engine().start(run.task(1, test_tokens(20), 30));
  run.run_until(1, 2);
  const UniqueFd file = memory_file();
  run.engine().save_state(run.save_task(2, test_tokens(600, 1), copy_of(file)));
  run.run();
  EXPECT_LT(index_of(run.events, "saved 2"), index_of(run.events, "finish 1"));
  const SavedState& saved = *run.outcomes[2].saved;
  EXPECT_EQ(saved.tokens, 600u);
  EXPECT_EQ(saved.token_hash, hash_tokens(test_tokens(600, 1)));
  EXPECT_THAT(saved.cuts, ::testing::ElementsAre(128, 256, 384, 512, 600));
  EXPECT_EQ(saved.bytes, static_cast<uint64_t>(::lseek(file.get(), 0, SEEK_END)));
  EXPECT_GE(saved.first_token_ms, saved.prefill_ms);
}

ModelSpec spec_of_cells(uint32_t cells) {
  ModelSpec spec = test_spec();
  spec.kv_tokens = cells;
  return spec;
}

TEST(LlamaCppEngine, LetsARequestWaitUntilItsCellsAreFree) {
  LlamaEngineRun run(spec_of_cells(512));
  run.engine().start(run.task(1, test_tokens(200), 100));
  run.engine().start(run.task(2, test_tokens(200, 1), 100));
  run.engine().start(run.task(3, test_tokens(10, 2), 5));  // would fit, but overtakes nobody
  run.stop_after = {{1, 4}, {2, 4}};
  run.run();
  EXPECT_GT(index_of(run.events, "start 2"), index_of(run.events, "finish 1"));
  EXPECT_GT(index_of(run.events, "start 3"), index_of(run.events, "start 2"));
  EXPECT_EQ(run.outcomes[2].tokens.size(), 4u);
  EXPECT_EQ(run.outcomes[3].tokens.size(), 5u);
}

TEST(LlamaCppEngine, RefusesWhatCanNeverFit) {
  LlamaEngineRun run;
  EXPECT_EQ(run.run(run.task(1, test_tokens(100), 4000)).error->code, ErrorCode::kContextLengthExceeded);
  EXPECT_EQ(run.run(run.task(2, test_tokens(10), 2)).tokens.size(), 2u);
}

TEST(LlamaCppEngine, RefusesAPlanThatIsNone) {
  LlamaEngineRun run;
  GenerationTask task = run.task(1, test_tokens(300), 2);
  task.cuts = {300};
  EXPECT_EQ(run.run(std::move(task)).error->code, ErrorCode::kInternal);
}

TEST(LlamaCppEngine, PausesWithoutCreditAndGoesOnWithIt) {
  LlamaEngineRun run;
  GenerationTask task = run.task(1, test_tokens(20), 6);
  task.credit = 2;
  const auto& outcome = run.run(std::move(task));
  EXPECT_EQ(outcome.tokens.size(), 2u);
  EXPECT_FALSE(outcome.finished);
  run.engine().add_credit(1, 100);
  run.run();
  EXPECT_EQ(outcome.tokens.size(), 6u);
  EXPECT_EQ(outcome.finished, FinishReason::kLength);

  GenerationTask without = run.task(2, test_tokens(20), 6);
  without.credit = 0;
  EXPECT_TRUE(run.run(std::move(without)).tokens.empty());
  run.engine().add_credit(2, 100);
  run.run();
  EXPECT_EQ(run.outcomes[2].tokens, outcome.tokens);
}

TEST(LlamaCppEngine, CancelsInPrefillAndInDecoding) {
  LlamaEngineRun run;
  run.engine().start(run.task(1, test_tokens(1000), 50));
  EXPECT_TRUE(run.engine().step());
  run.engine().cancel(1);
  run.run();
  EXPECT_EQ(run.outcomes[1].error->code, ErrorCode::kCancelled);
  EXPECT_TRUE(run.outcomes[1].tokens.empty());

  run.engine().start(run.task(2, test_tokens(20), 50));
  run.run_until(2, 3);
  run.engine().cancel(2);
  run.run();
  EXPECT_EQ(run.outcomes[2].error->code, ErrorCode::kCancelled);
  EXPECT_EQ(run.outcomes[2].tokens.size(), 3u);
}

TEST(LlamaCppEngine, CancelsWhatWaitsAndIgnoresUnknownIds) {
  LlamaEngineRun run;
  run.engine().start(run.task(1, test_tokens(20), 5));
  run.engine().cancel(1);
  run.engine().cancel(77);
  run.run();
  EXPECT_EQ(run.events, std::vector<std::string>{"fail 1"});
}

TEST(LlamaCppEngine, CancelsTheMakingOfAState) {
  LlamaEngineRun run;
  run.engine().save_state(run.save_task(1, test_tokens(1000), memory_file()));
  EXPECT_TRUE(run.engine().step());
  run.engine().cancel(1);
  run.run();
  EXPECT_EQ(run.outcomes[1].error->code, ErrorCode::kCancelled);
}

TEST(LlamaCppEngine, AnswersRightAfterADecodeCallThatACancelBrokeOff) {
  LlamaEngineRun run;
  const auto expected = run.run(run.task(1, test_tokens(300), 8));
  for (RequestId id = 10; id < 15; ++id) {
    GenerationTask task = run.task(id, test_tokens(1500, 1), 500);
    task.reuse = ReusePolicy::kNone;
    run.engine().start(std::move(task));
    std::thread other([&run, id] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20 * (id - 9)));
      run.engine().cancel(id);
    });
    run.run();
    other.join();
    ASSERT_TRUE(run.outcomes[id].error);
    EXPECT_EQ(run.outcomes[id].error->code, ErrorCode::kCancelled);
  }
  const auto& again = run.run(run.task(2, test_tokens(300), 8));
  EXPECT_TRUE(again.logits == expected.logits);
}

TEST(LlamaCppEngine, SharesAPrefixThatRunsAlready) {
  LlamaEngineRun run(spec_of_cells(768));
  const std::vector<int32_t> prefix = test_tokens(400);
  const UniqueFd file = run.save(prefix);
  // Three times 490 tokens would not fit 768 cells.
  for (const RequestId id : {1, 2, 3}) {
    run.engine().start(
        run.task_over(id, joined(prefix, test_tokens(50, static_cast<int>(id))), 40, prefix, "a", copy_of(file)));
  }
  run.run();
  EXPECT_EQ(run.outcomes[1].cache->tier, CacheTier::kDisk);
  EXPECT_EQ(run.outcomes[2].cache->tier, CacheTier::kResident);
  EXPECT_EQ(run.outcomes[3].cache->tier, CacheTier::kResident);
  EXPECT_LT(index_of(run.events, "start 3"), index_of(run.events, "finish 1"));
  EXPECT_THAT(run.events, Not(Contains("restore 2")));
}

TEST(LlamaCppEngine, AnswersWithoutAFileFromAResidentCopyOrFromTheText) {
  LlamaEngineRun run;
  const std::vector<int32_t> prefix = test_tokens(300);
  const std::vector<int32_t> prompt = joined(prefix, test_tokens(20, 1));
  const UniqueFd file = run.save(prefix);
  EXPECT_EQ(run.run(run.task_over(1, prompt, 3, prefix, "a", UniqueFd())).cache->tier, CacheTier::kText);
  run.run(run.task_over(2, prompt, 3, prefix, "a", copy_of(file)));
  EXPECT_EQ(run.run(run.task_over(3, prompt, 3, prefix, "a", UniqueFd())).cache->tier, CacheTier::kResident);
  EXPECT_EQ(run.outcomes[1].tokens, run.outcomes[3].tokens);
}

class DamagedState : public ::testing::Test {
 protected:
  // The answer over a file of these bytes must be that of the text.
  void expect_text_serves(const std::vector<char>& bytes) {
    const UniqueFd file = memory_file();
    ASSERT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    const auto& outcome = run_.run(run_.task_over(++id_, prompt_, 4, prefix_, "a", copy_of(file)));
    EXPECT_EQ(outcome.cache->tier, CacheTier::kText);
    EXPECT_EQ(outcome.cache->tokens, 0u);
    EXPECT_NE(outcome.cache->reason, "");
    EXPECT_TRUE(outcome.logits == cold_.logits);
  }

  std::vector<char> saved_bytes() {
    const UniqueFd file = run_.save(prefix_);
    std::vector<char> bytes(run_.outcomes[9000].saved->bytes);
    EXPECT_EQ(::pread(file.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    return bytes;
  }

  LlamaEngineRun run_;
  RequestId id_ = 100;
  std::vector<int32_t> prefix_ = test_tokens(150);
  std::vector<int32_t> prompt_ = joined(prefix_, test_tokens(20, 1));
  LlamaEngineRun::Outcome cold_ = run_.run(run_.task(1, prompt_, 4, prefix_));
};

TEST_F(DamagedState, IsAnsweredFromTheTextWhenTruncated) {
  const std::vector<char> whole = saved_bytes();
  for (size_t part = 0; part < 4; ++part) {
    expect_text_serves({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * part / 4)});
  }
  expect_text_serves({whole.begin(), whole.end() - 1});
}

TEST_F(DamagedState, IsAnsweredFromTheTextWhenItIsGarbage) {
  std::vector<char> bytes = saved_bytes();
  for (const size_t offset : {size_t{0}, size_t{8}, size_t{12}, size_t{20}, 16 + 150 * size_t{12},
                              16 + 150 * size_t{12} + 4, 16 + 150 * size_t{12} + 8, 16 + 150 * size_t{12} + 12}) {
    std::vector<char> damaged = bytes;
    damaged[offset] = static_cast<char>(damaged[offset] ^ 0x55);
    expect_text_serves(damaged);
  }
  std::fill(bytes.begin(), bytes.end(), static_cast<char>(0xAB));
  expect_text_serves(bytes);
}

TEST(LlamaCppEngine, SaysWhenThereIsNoSpaceForAState) {
  LlamaEngineRun run;
  UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.valid());
  run.engine().save_state(run.save_task(1, test_tokens(50), std::move(full)));
  run.run();
  EXPECT_EQ(run.outcomes[1].error->code, ErrorCode::kNoSpace);
  EXPECT_EQ(run.run(run.task(2, test_tokens(10), 2)).tokens.size(), 2u);
}

TEST(LlamaCppEngine, RefusesAFileThatIsNoModel) {
  EXPECT_EQ(load_llama_model({.file = "/dev/null"}).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace rockllama
