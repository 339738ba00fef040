#include "engines/rkllm/version_decision.h"

#include <gmock/gmock.h>

#include "tests/support/rkllm_defaults.h"

namespace rockllama::rkllm {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

// What an honest library of that version shows.
SeenLibrary honest(const std::string& version) {
  const AbiGroup group = group_of(version).value();
  return {.versions = {version}, .functions = functions_of(group), .defaults = defaults_of(group)};
}

std::string refusal(const SeenLibrary& seen) {
  const auto decision = decide_version(seen);
  if (decision) return "taken for " + decision->version;
  EXPECT_EQ(decision.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(decision.error().message, HasSubstr("rkllm.version"));
  return decision.error().message;
}

TEST(VersionDecision, BelievesEveryReleasedVersionThatShowsWhatItSays) {
  for (const char* version :
       {"1.1.0", "1.1.1", "1.1.2", "1.1.3", "1.1.4", "1.2.0", "1.2.1b1", "1.2.1", "1.2.2", "1.2.3", "1.3.0"}) {
    const auto decision = decide_version(honest(version));
    ASSERT_TRUE(decision) << decision.error().message;
    EXPECT_EQ(decision->version, version);
    EXPECT_EQ(decision->group, group_of(version));
    EXPECT_THAT(decision->warnings, IsEmpty());
  }
}

TEST(VersionDecision, RefusesAnUnknownVersionAndNamesTheKnownOnes) {
  SeenLibrary seen = honest("1.3.0");
  seen.versions = {"1.4.0"};
  EXPECT_THAT(refusal(seen), AllOf(HasSubstr("1.4.0"), HasSubstr("1.2.1 to 1.2.3")));
}

TEST(VersionDecision, RefusesVersionsBeforeTheFirstThatItBinds) {
  SeenLibrary seen = honest("1.1.0");
  seen.versions = {"1.0.1"};
  EXPECT_THAT(refusal(seen), HasSubstr("1.0.1 is not known"));
}

TEST(VersionDecision, RefusesAFileWithoutAVersion) {
  SeenLibrary seen = honest("1.3.0");
  seen.versions = {};
  EXPECT_THAT(refusal(seen), HasSubstr("no version"));
}

TEST(VersionDecision, RefusesAFileWithTwoVersions) {
  SeenLibrary seen = honest("1.3.0");
  seen.versions = {"1.2.3", "1.3.0"};
  EXPECT_THAT(refusal(seen), HasSubstr("1.2.3, 1.3.0"));
}

TEST(VersionDecision, RefusesAVersionWhoseFunctionsAreMissing) {
  SeenLibrary seen = honest("1.1.4");
  seen.versions = {"1.2.0"};
  EXPECT_THAT(refusal(seen), AllOf(HasSubstr("1.2.0"), HasSubstr("rkllm_clear_kv_cache")));
}

TEST(VersionDecision, RefusesAVersionWithFunctionsOfLaterOnes) {
  SeenLibrary seen = honest("1.2.1");
  seen.versions = {"1.2.0"};
  seen.defaults = defaults_of(AbiGroup::k1_2_0);
  EXPECT_THAT(refusal(seen), HasSubstr("rkllm_get_kv_cache_size"));
}

// The functions of these two have the same names.
TEST(VersionDecision, TellsAFalse123And130ByTheDefaultParameters) {
  SeenLibrary seen = honest("1.3.0");
  seen.versions = {"1.2.3"};
  EXPECT_THAT(refusal(seen), AllOf(HasSubstr("1.2.3"), HasSubstr("those of 1.3.0")));
  seen = honest("1.2.3");
  seen.versions = {"1.3.0"};
  EXPECT_THAT(refusal(seen), AllOf(HasSubstr("1.3.0"), HasSubstr("1.2.1 to 1.2.3")));
}

TEST(VersionDecision, TakesAForcedVersionAgainstTheFileAndSaysSo) {
  SeenLibrary seen = honest("1.2.3");
  seen.versions = {"1.4.0"};
  seen.forced_version = "1.2.3";
  const auto decision = decide_version(seen);
  ASSERT_TRUE(decision) << decision.error().message;
  EXPECT_EQ(decision->group, AbiGroup::k1_2_1);
  EXPECT_THAT(decision->warnings, Contains(HasSubstr("1.4.0")));
}

TEST(VersionDecision, TakesAForcedVersionAgainstTheDefaultParametersAndSaysSo) {
  SeenLibrary seen = honest("1.3.0");
  seen.forced_version = "1.2.3";
  const auto decision = decide_version(seen);
  ASSERT_TRUE(decision) << decision.error().message;
  EXPECT_THAT(decision->warnings, Contains(HasSubstr("those of 1.3.0")));
}

TEST(VersionDecision, RefusesAForcedVersionWhoseFunctionsAreMissing) {
  SeenLibrary seen = honest("1.1.4");
  seen.forced_version = "1.3.0";
  EXPECT_THAT(refusal(seen), HasSubstr("rkllm_get_kv_cache_size"));
}

TEST(VersionDecision, RefusesAForcedVersionThatIsNotKnown) {
  SeenLibrary seen = honest("1.3.0");
  seen.forced_version = "latest";
  EXPECT_THAT(refusal(seen), HasSubstr("latest"));
}

TEST(VersionDecision, OnlyWarnsOfDefaultsThatAreUnlikeThoseOfAnyVersion) {
  SeenLibrary seen = honest("1.3.0");
  auto param = documented_defaults<abi_1_3_0::RKLLMParam>();
  param.extend_param.enabled_cpus_num = 0;
  seen.defaults = written(param);
  const auto decision = decide_version(seen);
  ASSERT_TRUE(decision) << decision.error().message;
  EXPECT_THAT(decision->warnings, Contains(HasSubstr("enabled_cpus_num")));
}

}  // namespace
}  // namespace rockllama::rkllm
