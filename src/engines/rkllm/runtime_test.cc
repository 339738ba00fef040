// What Runtime makes of what a library does: the pitfalls of the vendor's runtime, one by one.
#include "engines/rkllm/runtime.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <atomic>
#include <future>
#include <map>
#include <thread>

#include "engines/rkllm/binding.h"

namespace rockllama::rkllm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Shared by a test and the binding that it planted.
struct FakeLibrary {
  std::vector<std::string> calls{};
  std::map<std::string, int> codes{};  // what a call answers; 0 where it is not named
  bool handle = true;
  std::string log{};  // what init writes
  std::function<int(const RunRequest&, const CallbackReceiver&)> on_run{};
  std::atomic<bool> running = false;
  std::atomic<int> aborts = 0;
  std::atomic<bool> run_is_over = true;  // end_run() was called
};

class FakeBinding final : public Binding {
 public:
  explicit FakeBinding(FakeLibrary* fake) : fake_(fake) {}
  InitAnswer init(const RuntimeOptions&, const CallbackReceiver* receiver) override {
    receiver_ = receiver;
    std::fprintf(stderr, "%s", fake_->log.c_str());
    return {answer("init"), fake_->handle};
  }
  int run(const RunRequest& request) override {
    fake_->run_is_over = false;
    fake_->running = true;
    const int code = fake_->on_run ? fake_->on_run(request, *receiver_) : finish(*receiver_);
    fake_->running = false;
    static_cast<void>(answer("run"));
    return code;
  }
  static int finish(const CallbackReceiver& receiver) {
    receiver({.state = CallState::kFinish});
    return 0;
  }
  void end_run() override { fake_->run_is_over = true; }
  int abort() override {
    ++fake_->aborts;
    return 0;
  }
  bool is_running() override { return fake_->running; }
  int load_prompt_cache(const std::string&) override { return answer("load_prompt_cache"); }
  int release_prompt_cache() override { return answer("release_prompt_cache"); }
  int load_lora(const std::string&, const std::string&, float) override { return answer("load_lora"); }
  int clear_kv_cache() override { return answer("clear_kv_cache"); }
  int set_chat_template(const std::string&, const std::string&, const std::string&) override {
    return answer("set_chat_template");
  }
  int set_function_tools(const std::string&, const std::string&, const std::string&) override {
    return answer("set_function_tools");
  }
  int get_kv_cache_size(int32_t* tokens) override {
    *tokens = 7;
    return answer("get_kv_cache_size");
  }

 private:
  int answer(const std::string& call) {
    fake_->calls.push_back(call);
    const auto code = fake_->codes.find(call);
    return code == fake_->codes.end() ? 0 : code->second;
  }

  FakeLibrary* fake_;
  const CallbackReceiver* receiver_ = nullptr;
};

class RkllmRuntime : public testing::Test {
 protected:
  Result<std::unique_ptr<Runtime>> init(const std::string& version = "1.2.3", RuntimeOptions options = {}) {
    auto library =
        std::make_shared<const Library>(LibraryInfo{.version = version, .group = group_of(version).value()}, nullptr);
    return Runtime::init(library, std::move(options), std::make_unique<FakeBinding>(&fake_));
  }

  FakeLibrary fake_;
};

const RunRequest kHello{.input = "Hello"};

CallbackEvent piece(std::string_view text) { return {.piece = {.token = 1, .text = text}}; }

TEST_F(RkllmRuntime, CallsInitWithoutAHandleAFailureAlthoughItAnswered0) {
  fake_.handle = false;
  const auto runtime = init();
  ASSERT_FALSE(runtime);
  EXPECT_EQ(runtime.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(runtime.error().message, HasSubstr("NPU memory"));
}

TEST_F(RkllmRuntime, TellsBothNumbersWhereTheContextIsAboveTheModelsLimit) {
  fake_.codes["init"] = -1;
  fake_.log = "E rkllm: max_context[16384] must be less than the model's max_context_limit[4096]\n";
  const auto tap = LogTap::start(10).value();
  const auto runtime = init("1.2.3", {.max_context_len = 16384, .log = tap.get()});
  ASSERT_FALSE(runtime);
  EXPECT_EQ(runtime.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(runtime.error().message, AllOf(HasSubstr("16384"), HasSubstr("4096")));
}

TEST_F(RkllmRuntime, TellsTheLastLineOfTheLogWhereInitFailsWithNothingElse) {
  fake_.codes["init"] = -1;
  fake_.log = "E rkllm: failed to malloc npu memory\n";
  const auto tap = LogTap::start(10).value();
  const auto runtime = init("1.2.3", {.log = tap.get()});
  ASSERT_FALSE(runtime);
  EXPECT_THAT(runtime.error().message, HasSubstr("(-1): E rkllm: failed to malloc npu memory"));
}

TEST_F(RkllmRuntime, RefusesNBatch0BeforeTheLibraryDoes) {
  const auto runtime = init("1.2.3", {.n_batch = 0});
  ASSERT_FALSE(runtime);
  EXPECT_EQ(runtime.error().param, "n_batch");
  EXPECT_TRUE(fake_.calls.empty());
}

TEST_F(RkllmRuntime, RaisesTheDescriptorLimitBeforeInit) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 256;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  ASSERT_TRUE(init());
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, std::min<rlim_t>(before.rlim_max, 102400));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(RkllmRuntime, HandsPiecesOnAsTheyComeAlsoWithoutText) {
  fake_.on_run = [](const RunRequest&, const CallbackReceiver& receiver) {
    receiver(piece("\xc3"));
    receiver(piece("\xa4"));
    receiver(piece({}));
    return FakeBinding::finish(receiver);
  };
  const auto runtime = init().value();
  std::vector<std::string> texts;
  ASSERT_TRUE(runtime->run(kHello, {.on_piece = [&](const Piece& got) {
                             texts.emplace_back(got.text);
                             return true;
                           }}));
  EXPECT_THAT(texts, ElementsAre("\xc3", "\xa4", ""));
}

TEST_F(RkllmRuntime, TellsThePerfOfFinishAlone) {
  fake_.on_run = [](const RunRequest&, const CallbackReceiver& receiver) {
    receiver({.piece = {.text = "a"}, .perf = {.prefill_tokens = 99}});
    receiver({.state = CallState::kFinish, .perf = {.prefill_tokens = 12, .prefill_ms = 3.5F}});
    return 0;
  };
  const auto result = init().value()->run(kHello, {});
  ASSERT_TRUE(result);
  ASSERT_TRUE(result->perf);
  EXPECT_EQ(result->perf->prefill_tokens, 12);
}

TEST_F(RkllmRuntime, RefusesASecondRunAndEveryOtherCallWhileOneGoesOn) {
  const auto runtime = init().value();
  std::promise<void> begun;
  std::promise<void> go_on;
  fake_.on_run = [&](const RunRequest&, const CallbackReceiver& receiver) {
    begun.set_value();
    go_on.get_future().wait();
    return FakeBinding::finish(receiver);
  };
  auto first = std::async(std::launch::async, [&] { return runtime->run(kHello, {}).has_value(); });
  begun.get_future().wait();
  EXPECT_EQ(runtime->run(kHello, {}).error().code, ErrorCode::kConflict);
  EXPECT_EQ(runtime->clear_kv_cache().error().code, ErrorCode::kConflict);
  EXPECT_EQ(runtime->load_prompt_cache("x").error().code, ErrorCode::kConflict);
  go_on.set_value();
  EXPECT_TRUE(first.get());
}

TEST_F(RkllmRuntime, AbortsFromAThreadThatIsNotTheCallbacksWhenTheSinkSaysSo) {
  const auto runtime = init().value();
  fake_.on_run = [&](const RunRequest&, const CallbackReceiver& receiver) {
    receiver(piece("a"));
    // A library that would deadlock if the call came from in here.
    while (fake_.aborts == 0) std::this_thread::yield();
    receiver(piece("b"));
    return FakeBinding::finish(receiver);
  };
  std::string text;
  const auto result = runtime->run(kHello, {.on_piece = [&](const Piece& got) {
                                     text += got.text;
                                     return false;
                                   }});
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->aborted);
  EXPECT_EQ(text, "a");
}

TEST_F(RkllmRuntime, WaitsAfterAnAbortForFinishAlthoughTheRunReturnedBefore) {
  const auto runtime = init().value();
  std::thread late;
  std::atomic<bool> finished = false;
  fake_.on_run = [&](const RunRequest&, const CallbackReceiver& receiver) {
    runtime->abort();
    while (fake_.aborts == 0) std::this_thread::yield();
    late = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      EXPECT_FALSE(fake_.run_is_over);
      finished = true;
      receiver({.state = CallState::kFinish});
    });
    return 0;
  };
  const auto result = runtime->run(kHello, {});
  EXPECT_TRUE(finished);
  EXPECT_TRUE(fake_.run_is_over);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->aborted);
  late.join();
}

TEST_F(RkllmRuntime, AbortsAgainARunThatGoesOnBecauseTheFirstCallCameTooEarly) {
  const auto runtime = init().value();
  fake_.on_run = [&](const RunRequest&, const CallbackReceiver& receiver) {
    runtime->abort();
    while (fake_.aborts == 0) std::this_thread::yield();
    while (fake_.aborts < 2) receiver(piece("x"));
    return FakeBinding::finish(receiver);
  };
  EXPECT_TRUE(runtime->run(kHello, {}).value().aborted);
}

TEST_F(RkllmRuntime, DoesNotTakeAnAbortBetweenTwoRunsForTheSecond) {
  const auto runtime = init().value();
  ASSERT_TRUE(runtime->run(kHello, {}));
  runtime->abort();
  EXPECT_FALSE(runtime->run(kHello, {}).value().aborted);
  EXPECT_EQ(fake_.aborts, 0);
}

TEST_F(RkllmRuntime, TakesTheErrorThatEndsAnAbortedRunForItsEnd) {
  const auto runtime = init().value();
  fake_.on_run = [&](const RunRequest&, const CallbackReceiver& receiver) {
    runtime->abort();
    receiver({.state = CallState::kError});
    return 0;
  };
  EXPECT_TRUE(runtime->run(kHello, {}).value().aborted);
}

TEST_F(RkllmRuntime, GivesUpOnARunThatReturnedAndNeverEnds) {
  const auto runtime = init().value();
  fake_.on_run = [](const RunRequest&, const CallbackReceiver&) { return 0; };
  const auto silent = runtime->run(kHello, {});
  ASSERT_FALSE(silent);
  EXPECT_THAT(silent.error().message, HasSubstr("without an end"));
  // What the run was given may still be read.
  EXPECT_FALSE(fake_.run_is_over);
  EXPECT_TRUE(runtime->is_dead());
  EXPECT_EQ(runtime->run(kHello, {}).error().code, ErrorCode::kInternal);
}

TEST_F(RkllmRuntime, ClearsWhatAnEarlierRunLeftBeforeTheNext) {
  const auto runtime = init().value();
  ASSERT_TRUE(runtime->run({.input = "one", .keep_history = true}, {}));
  ASSERT_TRUE(runtime->run({.input = "two", .continue_kv = true}, {}));
  ASSERT_TRUE(runtime->run({.input = "new"}, {}));
  EXPECT_THAT(fake_.calls, ElementsAre("init", "run", "run", "clear_kv_cache", "run"));
}

TEST_F(RkllmRuntime, RefusesARunWhereStaleCellsCannotBeCleared) {
  const auto runtime = init().value();
  fake_.codes["clear_kv_cache"] = -1;
  ASSERT_TRUE(runtime->run({.input = "one", .keep_history = true}, {}));
  EXPECT_EQ(runtime->run(kHello, {}).error().code, ErrorCode::kInternal);
}

TEST_F(RkllmRuntime, RunsWithoutClearingWhereTheRuntimeCannot) {
  const auto runtime = init("1.1.4").value();
  ASSERT_TRUE(runtime->run(kHello, {}));
  ASSERT_TRUE(runtime->run(kHello, {}));
  EXPECT_THAT(fake_.calls, ElementsAre("init", "run", "run"));
  EXPECT_EQ(runtime->clear_kv_cache().error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(runtime->set_chat_template("", "", "").error().code, ErrorCode::kUnsupported);
}

TEST_F(RkllmRuntime, KnowsThatATemplateDropsTheCellsOfEarlierTurns) {
  const auto runtime = init().value();
  ASSERT_TRUE(runtime->run({.input = "one", .keep_history = true}, {}));
  ASSERT_TRUE(runtime->set_chat_template("", "", ""));
  EXPECT_EQ(runtime->run({.input = "two", .continue_kv = true}, {}).error().code, ErrorCode::kConflict);
}

TEST_F(RkllmRuntime, ContinuesALoadedPromptCacheUntilItIsReleased) {
  const auto runtime = init().value();
  const RunRequest over_cache{.input = "whole prompt", .continue_kv = true};
  EXPECT_EQ(runtime->run(over_cache, {}).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(runtime->load_prompt_cache("a"));
  EXPECT_TRUE(runtime->run(over_cache, {}));
  ASSERT_TRUE(runtime->release_prompt_cache());
  EXPECT_EQ(runtime->run(over_cache, {}).error().code, ErrorCode::kConflict);
}

TEST_F(RkllmRuntime, GivesHiddenLayersToTheirSinkAlone) {
  const std::vector<float> values{1, 2, 3, 4};
  fake_.on_run = [&](const RunRequest&, const CallbackReceiver& receiver) {
    receiver({.hidden = {.values = values, .tokens = 2, .width = 2}});
    return 0;  // and no FINISH
  };
  const auto runtime = init().value();
  std::vector<float> seen;
  ASSERT_TRUE(runtime->run(
      {.input = "embed", .mode = InferMode::kLastHiddenLayer},
      {.on_piece = [](const Piece&) -> bool { throw std::logic_error("a piece"); },
       .on_hidden_layer = [&](const HiddenLayer& layer) { seen.assign(layer.values.begin(), layer.values.end()); }}));
  EXPECT_EQ(seen, values);
}

}  // namespace
}  // namespace rockllama::rkllm
