#include "engines/scripted/script.h"

#include <gmock/gmock.h>

namespace rockllama {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Script, ReadsEveryDirective) {
  const auto script = parse_script(
      "# a comment\n\nanswer One\\ntwo\nrepeat 3\ntoken_delay_ms 5\nprefill_delay_ms_per_token 0.5\n"
      "answer_if_prompt_contains a b c\nload_delay_ms 7\nclock\nrefuse_save\nprint one\nprint two\n");
  ASSERT_TRUE(script);
  EXPECT_EQ(script->answer, "One\ntwo");
  EXPECT_THAT(script->answers_by_word, ElementsAre(::testing::Pair("a", "b c")));
  EXPECT_EQ(script->repeat, 3u);
  EXPECT_EQ(script->token_delay_ms, 5);
  EXPECT_EQ(script->prefill_delay_ms_per_token, 0.5);
  EXPECT_EQ(script->load_delay_ms, 7);
  EXPECT_TRUE(script->clock);
  EXPECT_TRUE(script->refuse_save);
  EXPECT_EQ(script->print, "one\ntwo\n");
  EXPECT_FALSE(script->echo);
  EXPECT_TRUE(parse_script("echo")->echo);
}

TEST(Script, ReadsEveryFault) {
  const auto script = parse_script(
      "crash_on_token 1\nhang_on_token 2\ngarbage_frame_on_token 3\ncrash_if_prompt_contains a b\ncrash_on_restore\n"
      "crash_on_save\nabort_on_start\ncrash_on_load\nhang_on_restore\nhang_on_save\nonce /tmp/x hang_on_load\nonce "
      "/tmp/y crash_on_token 4");
  ASSERT_TRUE(script);
  EXPECT_THAT(
      script->faults,
      ElementsAre(Fault{FaultKind::kCrashOnToken, 1}, Fault{FaultKind::kHangOnToken, 2},
                  Fault{FaultKind::kGarbageFrameOnToken, 3}, Fault{FaultKind::kCrashIfPromptContains, 0, "a b"},
                  Fault{FaultKind::kCrashOnRestore}, Fault{FaultKind::kCrashOnSave}, Fault{FaultKind::kAbortOnStart},
                  Fault{FaultKind::kCrashOnLoad}, Fault{FaultKind::kHangOnRestore}, Fault{FaultKind::kHangOnSave},
                  Fault{FaultKind::kHangOnLoad, 0, "", "/tmp/x"}, Fault{FaultKind::kCrashOnToken, 4, "", "/tmp/y"}));
}

TEST(Script, NamesTheLineThatMeansNothing) {
  for (const char* bad :
       {"crash", "crash_on_token", "crash_on_token 0", "repeat x", "token_delay_ms -1", "echo twice",
        "answer_if_prompt_contains a", "once", "once /tmp/x", "once /tmp/x answer y", "crash_if_prompt_contains"}) {
    const auto script = parse_script(std::string("answer x\n") + bad);
    ASSERT_FALSE(script) << bad;
    EXPECT_THAT(script.error().message, HasSubstr("Line 2"));
  }
}

}  // namespace
}  // namespace rockllama
