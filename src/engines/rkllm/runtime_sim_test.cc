// Runtime over each simulated library, which has the layouts of abi.json by another way than ours and is strict: a NULL
// img_* pointer, n_batch 0 or a struct of another version ends in a crash or a refusal there.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>

#include "engines/rkllm/runtime.h"
#include "tests/support/rkllm_sim_files.h"
#include "tests/support/tiny_model.h"

namespace rockllama::rkllm {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr char kPrompt[] =
    "The river begins in the mountains, runs through three countries and ends in a wide delta by the sea. Its water "
    "is cold in spring and warm in autumn. Name the river, the countries and the sea, one after the other.";

class RkllmRuntimeOnSim : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::getenv("ROCKLLAMA_TEST_MODEL") == nullptr) GTEST_SKIP() << "ROCKLLAMA_TEST_MODEL names no model";
  }
  ~RkllmRuntimeOnSim() override { ::unsetenv("ROCKLLAMA_SIM_FAULTS"); }

  void plant(const std::string& fault) {
    const std::string file = temporary("faults");
    std::ofstream(file) << fault << "\n";
    ::setenv("ROCKLLAMA_SIM_FAULTS", file.c_str(), 1);
  }
  static std::string temporary(const std::string& name) {
    return testing::TempDir() + "rkllm_" + GetParam() + "_" + name;
  }

  // Of a few MB, with the vocabulary of the test's model.
  static std::string model_file() {
    static const std::string file = [] {
      const std::string path = testing::TempDir() + "tiny.rkllm";
      if (!write_tiny_model(TinyShape::kPlain, std::getenv("ROCKLLAMA_TEST_MODEL"), path)) {
        throw std::runtime_error("no tiny model");
      }
      return path;
    }();
    return file;
  }

  static Result<std::unique_ptr<Runtime>> init(int32_t context = 256, LogTap* log = nullptr) {
    auto library = Library::open({.path = sim_library(GetParam())});
    if (!library) return fail(library.error());
    RuntimeOptions options{.model_path = model_file(),
                           .max_context_len = context,
                           .max_new_tokens = 4,
                           .sampling = {.temperature = 1.0F, .top_k = 1},
                           .log = log};
    return Runtime::init(*library, std::move(options));
  }
  // One for all tests of a version, which end as they began.
  static Runtime* runtime() {
    static std::map<std::string, std::unique_ptr<Runtime>> runtimes;
    auto& one = runtimes[GetParam()];
    if (!one) one = init().value();
    return one.get();
  }

  struct Answer {
    std::string text;
    int pieces = 0;
    std::optional<PerfStats> perf;
    bool aborted = false;
  };
  static Answer run(const RunRequest& request, int most = 1000) {
    Answer answer;
    const auto result = runtime()->run(request, {.on_piece = [&](const Piece& piece) {
                                         answer.text += piece.text;
                                         return ++answer.pieces < most;
                                       }});
    EXPECT_TRUE(result) << result.error().message;
    if (result) answer.perf = result->perf;
    answer.aborted = result && result->aborted;
    return answer;
  }
};

TEST_P(RkllmRuntimeOnSim, AnswersATextAndTokensAndCountsThem) {
  const Answer text = run({.input = kPrompt});
  EXPECT_EQ(text.pieces, 4);
  EXPECT_FALSE(text.aborted);
  EXPECT_EQ(text.perf.has_value(), runtime()->features().perf);
  if (text.perf) {
    EXPECT_GT(text.perf->prefill_tokens, 40);
  }
  const Answer again = run({.input = kPrompt});
  EXPECT_EQ(again.text, text.text);
  const Answer tokens = run({.input = std::vector<int32_t>{504, 7418, 4697}});
  EXPECT_EQ(tokens.pieces, 4);
  if (tokens.perf) {
    EXPECT_EQ(tokens.perf->prefill_tokens, 3);
  }
}

TEST_P(RkllmRuntimeOnSim, EndsARunThatTheSinkStopsAndRunsAgain) {
  const Answer stopped = run({.input = kPrompt}, 1);
  EXPECT_EQ(stopped.pieces, 1);
  EXPECT_TRUE(stopped.aborted);
  EXPECT_FALSE(runtime()->is_running());
  EXPECT_EQ(run({.input = kPrompt}).pieces, 4);
}

TEST_P(RkllmRuntimeOnSim, KnowsWhetherALibraryRunsWhoseIsRunningMeansTheOpposite) {
  plant("running_is_zero");
  const auto opposite = init().value();
  EXPECT_FALSE(opposite->is_running());
  bool ran = false;
  ASSERT_TRUE(opposite->run({.input = kPrompt}, {.on_piece = [&](const Piece&) {
                              ran = opposite->is_running();
                              return true;
                            }}));
  EXPECT_TRUE(ran);
}

TEST_P(RkllmRuntimeOnSim, SavesAPromptCacheAndBeginsFromIt) {
  const std::string file = temporary("cache");
  std::filesystem::remove(file);
  const Answer cold = run({.input = kPrompt, .save_cache_path = file});
  EXPECT_TRUE(std::filesystem::exists(file));
  ASSERT_TRUE(runtime()->load_prompt_cache(file));
  const Answer warm = run({.input = kPrompt, .continue_kv = true});
  EXPECT_TRUE(runtime()->release_prompt_cache());
  EXPECT_EQ(warm.text, cold.text);
  if (warm.perf) {
    EXPECT_LT(warm.perf->prefill_tokens, cold.perf->prefill_tokens / 4);
  }
  std::filesystem::remove(file);
}

TEST_P(RkllmRuntimeOnSim, TellsBothNumbersOfAContextAboveTheModelsLimit) {
  plant("context_limit 128");
  const auto tap = LogTap::start(50).value();
  const auto refused = init(256, tap.get());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("256"), HasSubstr("128")));
}

TEST_P(RkllmRuntimeOnSim, CallsANullHandleAFailure) {
  plant("null_handle");
  const auto without = init();
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code, ErrorCode::kUnavailable);
}

TEST_P(RkllmRuntimeOnSim, GivesTheLastHiddenLayer) {
  int32_t tokens = 0;
  int32_t width = 0;
  const auto result =
      runtime()->run({.input = std::vector<int32_t>{504, 7418, 4697}, .mode = InferMode::kLastHiddenLayer},
                     {.on_hidden_layer = [&](const HiddenLayer& layer) {
                       tokens += layer.tokens;
                       width = layer.width;
                     }});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_GT(tokens, 0);
  EXPECT_GT(width, 0);
}

TEST_P(RkllmRuntimeOnSim, ContinuesAKeptTurnAndClearsItBeforeAnotherRun) {
  if (!runtime()->features().keep_history) GTEST_SKIP() << "this version keeps nothing";
  const Answer fresh = run({.input = "What is a river?"});
  static_cast<void>(run({.input = kPrompt, .keep_history = true}));
  if (runtime()->features().kv_cache_size) {
    EXPECT_GT(runtime()->get_kv_cache_size().value(), 40);
  }
  EXPECT_EQ(run({.input = "What is a river?"}).text, fresh.text);
}

TEST_P(RkllmRuntimeOnSim, HasALimitAndSamplingForEachRunWhereTheVersionHasThem) {
  RunRequest request{.input = kPrompt, .max_new_tokens = 2, .sampling = SamplingParams{.top_k = 1}};
  if (runtime()->features().sampling_per_run) {
    EXPECT_EQ(run(request).pieces, 2);
  } else {
    EXPECT_EQ(runtime()->run(request, {}).error().code, ErrorCode::kInvalidArgument);
  }
}

INSTANTIATE_TEST_SUITE_P(Version, RkllmRuntimeOnSim, testing::Values("1.1.4", "1.2.0", "1.2.1b1", "1.2.1", "1.3.0"),
                         [](const auto& version) {
                           std::string name = version.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace rockllama::rkllm
