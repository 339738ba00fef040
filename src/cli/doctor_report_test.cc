#include "cli/doctor_report.h"

#include <gtest/gtest.h>

namespace rockllama {
namespace {

const char* const kModel = R"({"id":"demo","engine":"rkllm","status":"failed","size_mb":2.0,"context_tokens":4096,
  "kv_bytes_per_token":7,"failure":"crashed","log":["E rkllm: no memory"],"runtime":{"version":"1.2.1","driver_version":null},"prompt_mode":"tokens"})";
const char* const kCaches = R"({"data":[{"cache_name":"guide","binary":[{"format":"chat","status":"ready","reason":null,
  "tokens":400,"size_mb":4.0}]},{"cache_name":"bare","binary":[]}],"stats":{"models":{"demo":
  {"prefill_tokens_per_second":200.0,"restore_mb_per_second":null,"break_even_tokens":12}}}})";

TEST(DoctorReport, ReadsFactsOutOfTheServersAnswers) {
  const auto facts = model_facts(ApiJson::parse(kModel), ApiJson::parse(kCaches));
  EXPECT_EQ(facts.name, "demo");
  EXPECT_EQ(facts.failure, "crashed");
  EXPECT_EQ(facts.runtime.version, "1.2.1");
  EXPECT_EQ(facts.log, std::vector<std::string>{"E rkllm: no memory"});
  EXPECT_EQ(facts.file_bytes, 2u << 20);
  EXPECT_EQ(facts.kv_bytes_per_token, 7u);
  EXPECT_EQ(facts.caches, 2u);
  ASSERT_EQ(facts.states.size(), 1u);
  EXPECT_EQ(facts.states[0].bytes, 4u << 20);
  EXPECT_EQ(facts.prefill_tokens_per_s, 200);
  EXPECT_EQ(facts.restore_bytes_per_s, 0);
  EXPECT_EQ(facts.break_even_tokens, 12u);
}

TEST(DoctorReport, TakesAnswersOfAnyShape) {
  for (const char* odd : {"{}", "[]", "null", R"({"id":1,"failure":"x","data":{"a":1},"stats":{"models":[]}})"}) {
    const auto facts = model_facts(ApiJson::parse(odd), ApiJson::parse(odd));
    EXPECT_EQ(facts.name, "") << odd;
    EXPECT_TRUE(facts.states.empty()) << odd;
  }
}

TEST(DoctorReport, PutsAdviceUnderItsFindingAndSteersNoTerminal) {
  DoctorReport report{.cache_folder = "cache\x1b[2J"};
  report.models.push_back(model_facts(ApiJson::parse(kModel), ApiJson::parse(kCaches)));
  const std::string text = report_text(report);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("rkllm, failed: crashed\n"), std::string::npos);
  EXPECT_NE(text.find("| E rkllm: no memory\n"), std::string::npos);
  EXPECT_NE(text.find("-> "), std::string::npos);
}

TEST(DoctorReport, HasTheFiguresForPrograms) {
  DoctorReport report{.server_runs = true};
  report.models.push_back(model_facts(ApiJson::parse(kModel), ApiJson::parse(kCaches)));
  const ApiJson json = report_json(report);
  EXPECT_EQ(json["models"][0]["break_even_tokens"], 12);
  EXPECT_TRUE(json["models"][0]["restore_mb_per_second"].is_null());
  EXPECT_EQ(json["models"][0]["states"][0]["tokens"], 400);
  EXPECT_TRUE(json["machine"]["soc"].is_null());
  EXPECT_FALSE(json["findings"].empty());
}

}  // namespace
}  // namespace rockllama
