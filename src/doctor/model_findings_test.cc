#include "doctor/model_findings.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rockllama::doctor {
namespace {

ModelFacts loaded() {
  return {.name = "demo",
          .engine = "rkllm",
          .status = "loaded",
          .context_tokens = 4096,
          .kv_bytes_per_token = 1000,
          .caches = 1,
          .states = {{"guide", "chat", "ready", "", 400, 40 << 20}},
          .prefill_tokens_per_s = 200,
          .restore_bytes_per_s = 400 << 20,
          .break_even_tokens = 12};
}

Finding about(const ModelFacts& model, const std::string& part, bool server_runs = true) {
  const auto all = model_findings(model, {}, server_runs);
  const std::string subject = part.empty() ? model.name : model.name + ": " + part;
  const auto found = std::find_if(all.begin(), all.end(), [&](const Finding& one) { return one.subject == subject; });
  return found == all.end() ? Finding{} : *found;
}

bool says(const Finding& finding, const char* words) { return finding.what.find(words) != std::string::npos; }

TEST(RestoreCost, IsBytesByReadSpeedAgainstTokensByPrefillSpeed) {
  const auto cost = restore_cost(loaded(), loaded().states.front());
  ASSERT_TRUE(cost);
  EXPECT_DOUBLE_EQ(cost->restore_ms, 100);
  EXPECT_DOUBLE_EQ(cost->prefill_ms, 2000);
  ModelFacts fresh = loaded();
  fresh.restore_bytes_per_s = 0;
  EXPECT_FALSE(restore_cost(fresh, fresh.states.front()));
}

TEST(ModelFindings, ShowBothFiguresOfBreakEven) {
  const Finding finding = about(loaded(), "break-even");
  EXPECT_TRUE(says(finding, "prefills 200 tokens/s, restores 400 MB/s, a state pays from 12 tokens")) << finding.what;
  EXPECT_TRUE(says(finding, "guide (chat, 400 tokens, 40.0 MB): restore 100 ms, prefill 2000 ms")) << finding.what;
}

TEST(ModelFindings, SayWhereTheFiguresWillBeWhileNoServerRuns) {
  const Finding finding = about(loaded(), "break-even", false);
  EXPECT_EQ(finding.level, Level::kNote);
  EXPECT_NE(finding.advice.find("GET /v1/cache"), std::string::npos);
}

TEST(ModelFindings, ShowTheLogOfAModelThatFailed) {
  ModelFacts model = loaded();
  model.status = "failed";
  model.failure = "killed by signal 11";
  model.log = {"E rkllm: max_context[16384] must be less than the model's max_context_limit[4096]"};
  EXPECT_EQ(about(model, "").level, Level::kProblem);
  EXPECT_TRUE(says(about(model, ""), "max_context_limit[4096]"));
}

TEST(ModelFindings, CountStatesAndWarnOfQuarantine) {
  ModelFacts model = loaded();
  EXPECT_EQ(about(model, "caches").level, Level::kGood);
  model.states.push_back({"old", "chat", "stale", "the model changed", 10, 10});
  EXPECT_EQ(about(model, "caches").level, Level::kNote);
  model.states.push_back({"bad", "raw", "quarantined", "its restore crashed", 10, 10});
  const Finding finding = about(model, "caches");
  EXPECT_EQ(finding.level, Level::kWarning);
  EXPECT_TRUE(says(finding, "1 quarantined, 1 ready, 1 stale")) << finding.what;
  EXPECT_TRUE(says(finding, "bad (raw) is quarantined: its restore crashed"));
}

TEST(ModelFindings, GuessKvBytesFromStatesWhereTheModelIsNotLoaded) {
  ModelFacts model = loaded();
  model.status = "unloaded";
  model.context_tokens = 0;
  model.kv_bytes_per_token = 0;
  EXPECT_TRUE(says(about(model, "", false), "about 104857 KV bytes per token"));
}

TEST(ModelFindings, ExplainThePromptMode) {
  ModelFacts model = loaded();
  EXPECT_EQ(about(model, "prompt mode").subject, "");
  model.prompt_mode = "native";
  model.prompt_mode_reason = "there is no tokenizer.gguf";
  EXPECT_TRUE(says(about(model, "prompt mode"), "native: there is no tokenizer.gguf"));
  EXPECT_NE(about(model, "prompt mode").advice, "");
}

TEST(ModelFindings, WarnOfAModelLargerThanTheMemory) {
  ModelFacts model = loaded();
  model.file_bytes = 8ull << 30;
  const auto findings = model_findings(model, {.memory_bytes = 8ull << 30}, true);
  EXPECT_EQ(findings.front().level, Level::kWarning);
}

}  // namespace
}  // namespace rockllama::doctor
