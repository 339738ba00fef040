// Every library against abi.json, and what all of them do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>

#include "tests/support/rkllm_sim_library.h"

namespace rockllama {
namespace {

using testing::HasSubstr;

constexpr uint32_t kFinish = 2;
constexpr char kQuestion[] = "What is the capital of France? Answer with one word, please, and nothing else at all.";

class RkllmSim : public testing::TestWithParam<const char*> {
 protected:
  // One of each version, with a model loaded, for all tests; each leaves it as it found it.
  static RkllmSimLibrary& loaded() {
    auto& library = libraries_[GetParam()];
    if (!library) {
      library = std::make_unique<RkllmSimLibrary>(GetParam());
      EXPECT_EQ(library->init(), 0);
    }
    library->on_callback = [] { return 0; };
    return *library;
  }
  static void TearDownTestSuite() { libraries_.clear(); }

  static inline std::map<std::string, std::unique_ptr<RkllmSimLibrary>> libraries_;
  RkllmSimLibrary& library_ = loaded();
  std::string cache_file_ = testing::TempDir() + "/rkllm_sim_" + std::to_string(::getpid()) + ".rkllm_cache";

  void TearDown() override { std::filesystem::remove(cache_file_); }
};

TEST_P(RkllmSim, ExportsTheFunctionsOfItsVersionAndNoOther) {
  const nlohmann::json all = RkllmSimLibrary("1.3.0").facts()["functions"];
  for (const auto& [name, facts] : all.items()) {
    EXPECT_EQ(library_.symbol(name) != nullptr, library_.facts()["functions"].contains(name)) << name;
  }
  EXPECT_EQ(library_.symbol("llama_decode"), nullptr);
}

TEST_P(RkllmSim, CarriesItsVersionInItsFile) {
  std::ifstream file(RkllmSimLibrary::file(GetParam()), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(bytes.find(std::string("RKLLM SDK (version: ") + GetParam() + ")"), std::string::npos);
}

#if defined(__x86_64__)  // elsewhere the hidden pointer is no argument
TEST_P(RkllmSim, WritesDefaultsWhereItsHeaderHasThem) {
  struct Poisoned {
    unsigned char bytes[1024];
  };
  using CreateDefault = Poisoned* (*)(Poisoned*);
  Poisoned memory;
  std::fill(std::begin(memory.bytes), std::end(memory.bytes), 0xAA);
  reinterpret_cast<CreateDefault>(library_.symbol("rkllm_createDefaultParam"))(&memory);
  AbiStruct param(library_.facts(), "RKLLMParam", &memory);
  EXPECT_EQ(param.get<float>("temperature"), 0.8F);
  EXPECT_EQ(param.get<int32_t>("top_k"), 40);
  EXPECT_TRUE(param.get<bool>("skip_special_token"));
  EXPECT_EQ(param.get<int8_t>("extend_param.enabled_cpus_num"), param.has("extend_param.enabled_cpus_num") ? 4 : 0);
  EXPECT_EQ(param.get<uint8_t>("extend_param.n_batch"), param.has("extend_param.n_batch") ? 1 : 0);
  EXPECT_EQ(std::count(memory.bytes + param.size(), std::end(memory.bytes), 0xAA),
            static_cast<ptrdiff_t>(sizeof memory - param.size()));
}
#endif

TEST_P(RkllmSim, AnswersAPromptAndFinishesOnce) {
  const SimRun run = library_.run({.text = kQuestion});
  EXPECT_EQ(run.result, 0);
  EXPECT_FALSE(run.text.empty());
  EXPECT_EQ(std::count(run.states.begin(), run.states.end(), kFinish), 1);
  EXPECT_EQ(run.states.back(), kFinish);
  EXPECT_LE(run.tokens.size(), 6U);
  const bool counts = library_.make("RKLLMResult").has("perf.prefill_tokens");
  EXPECT_EQ(run.prefill_tokens > 10, counts);
}

TEST_P(RkllmSim, AnswersTokens) {
  const SimRun first = library_.run({.tokens = {1, 10, 20, 30, 40}});
  const SimRun again = library_.run({.tokens = {1, 10, 20, 30, 40}});
  EXPECT_EQ(first.result, 0);
  EXPECT_FALSE(first.tokens.empty());
  EXPECT_EQ(first.tokens, again.tokens);
}

TEST_P(RkllmSim, AnswersTheSameFromASavedCacheWithLessPrefill) {
  const SimRun cold = library_.run({.text = kQuestion, .save = cache_file_});
  ASSERT_EQ(library_.call("rkllm_load_prompt_cache", library_.handle(), cache_file_.c_str()), 0);
  const SimRun cached = library_.run({.text = kQuestion});
  EXPECT_EQ(cached.text, cold.text);
  if (cold.prefill_tokens > 0) {
    EXPECT_EQ(cached.prefill_tokens, 1);
  }
  EXPECT_EQ(library_.call("rkllm_release_prompt_cache", library_.handle()), 0);
  EXPECT_EQ(library_.run({.text = kQuestion}).prefill_tokens, cold.prefill_tokens);
}

TEST_P(RkllmSim, ReadsACacheFromItsBeginningOnly) {
  const SimRun other = library_.run({.tokens = {1, 11, 20, 30, 40, 50}});
  (void)library_.run({.tokens = {2, 11, 20, 30, 40, 50}, .save = cache_file_});
  ASSERT_EQ(library_.call("rkllm_load_prompt_cache", library_.handle(), cache_file_.c_str()), 0);
  EXPECT_EQ(library_.run({.tokens = {1, 11, 20, 30, 40, 50}}).tokens, other.tokens);
}

TEST_P(RkllmSim, RefusesAContextAboveTheModelsLimit) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(RkllmSimLibrary(GetParam()).init({.context = 20000}), -1);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("E rkllm: max_context[20000] must be less than the model's max_context_limit[8192]"));
  EXPECT_THAT(log, HasSubstr(std::string("I rkllm: rkllm-runtime version: ") + GetParam() + ", rknpu driver version:"));
}

TEST_P(RkllmSim, GivesARowOfTheLastHiddenLayerForEachToken) {
  const SimRun run = library_.run({.tokens = {1, 10, 20, 30, 40}, .mode = 1});
  EXPECT_EQ(run.hidden_rows, 5);
  const auto zeros = std::count(run.hidden.begin(), run.hidden.end(), 0.0F);
  EXPECT_LT(zeros, static_cast<ptrdiff_t>(run.hidden.size() / 2));
  EXPECT_EQ(run.states.size(), 2U);
  EXPECT_EQ(run.states.front(), std::string(GetParam()) == "1.1.4" ? 4U : 0U);
}

TEST_P(RkllmSim, RunsOneAfterTheOther) {
  int inner = 0;
  library_.on_callback = [this, &inner] {
    if (inner == 0) inner = library_.run({.text = "Me too!"}).result;
    return 0;
  };
  EXPECT_EQ(library_.run({.text = kQuestion}).result, 0);
  EXPECT_EQ(inner, -1);
}

TEST_P(RkllmSim, EndsARunThatIsAborted) {
  library_.on_callback = [this] { return library_.call("rkllm_abort", library_.handle()); };
  const SimRun run = library_.run({.text = "Once upon a time there was"});
  EXPECT_EQ(run.states, (std::vector<uint32_t>{0, kFinish}));
  EXPECT_EQ(library_.call("rkllm_is_running", library_.handle()), 0);
}

INSTANTIATE_TEST_SUITE_P(Versions, RkllmSim, testing::Values("1.1.4", "1.2.0", "1.2.1b1", "1.2.1", "1.2.3", "1.3.0"),
                         [](const auto& each) {
                           std::string name = each.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace rockllama
