#include "engines/rkllm/default_param.h"

#include <gmock/gmock.h>

#include "tests/support/rkllm_defaults.h"

namespace rockllama::rkllm {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The groups whose RKLLMParam is the same to the byte.
bool same_param(AbiGroup one, AbiGroup other) {
  const auto is_1_2_0 = [](AbiGroup group) { return group == AbiGroup::k1_2_0 || group == AbiGroup::k1_2_1b1; };
  return one == other || (is_1_2_0(one) && is_1_2_0(other));
}

template <class Param>
void expect_call_sees_all_of(AbiGroup group) {
  const DefaultParamBytes seen = call_create_default_param(reinterpret_cast<void*>(&documented_defaults<Param>));
  EXPECT_EQ(misfit(seen, group), "");
  EXPECT_LE(written_size(seen), sizeof(Param));
  EXPECT_GT(written_size(seen), offsetof(Param, extend_param));
}

TEST(DefaultParam, AreSeenThroughACallThatReturnsThemByValueWhateverTheirSize) {
  expect_call_sees_all_of<abi_1_1_0::RKLLMParam>(AbiGroup::k1_1_0);
  expect_call_sees_all_of<abi_1_2_0::RKLLMParam>(AbiGroup::k1_2_0);
  expect_call_sees_all_of<abi_1_2_1b1::RKLLMParam>(AbiGroup::k1_2_1b1);
  expect_call_sees_all_of<abi_1_2_1::RKLLMParam>(AbiGroup::k1_2_1);
  expect_call_sees_all_of<abi_1_3_0::RKLLMParam>(AbiGroup::k1_3_0);
}

// Fills in top_p alone, as a library would that leaves what it does not care for.
abi_1_3_0::RKLLMParam only_top_p() {
  abi_1_3_0::RKLLMParam param;  // NOLINT: not initialised on purpose
  param.top_p = 0.5F;
  return param;
}

TEST(DefaultParam, OfACallThatWritesOneFieldShowNoneBehindIt) {
  const DefaultParamBytes seen = call_create_default_param(reinterpret_cast<void*>(&only_top_p));
  EXPECT_LE(written_size(seen), sizeof(abi_1_3_0::RKLLMParam));
  EXPECT_FALSE(seen[sizeof(abi_1_3_0::RKLLMParam)].has_value());
}

TEST(DefaultParam, OfEachGroupFitThatGroup) {
  for (const AbiGroup group : kAbiGroups) EXPECT_EQ(misfit(defaults_of(group), group), "") << versions_of(group);
}

TEST(DefaultParam, OfOneGroupDoNotFitAnotherWithAnotherStruct) {
  for (const AbiGroup made : kAbiGroups) {
    for (const AbiGroup asked : kAbiGroups) {
      // 1.2.1 only names two bytes that were reserved before, so its defaults fit 1.2.0 as well: functions tell them.
      if (same_param(made, asked) || param_size(made) == param_size(asked)) continue;
      EXPECT_THAT(misfit(defaults_of(made), asked), Not(IsEmpty()))
          << versions_of(made) << " as " << versions_of(asked);
    }
  }
}

template <class Param>
DefaultParamBytes without_reserved() {
  DefaultParamBytes bytes = written(documented_defaults<Param>());
  for (size_t i = offsetof(Param, extend_param.reserved); i < bytes.size(); ++i) bytes[i].reset();
  return bytes;
}

TEST(DefaultParam, FitWhereReservedFieldsAreLeftAlone) {
  EXPECT_EQ(misfit(without_reserved<abi_1_1_0::RKLLMParam>(), AbiGroup::k1_1_0), "");
  EXPECT_EQ(misfit(without_reserved<abi_1_2_0::RKLLMParam>(), AbiGroup::k1_2_0), "");
  EXPECT_EQ(misfit(without_reserved<abi_1_2_1::RKLLMParam>(), AbiGroup::k1_2_1), "");
  EXPECT_EQ(misfit(without_reserved<abi_1_3_0::RKLLMParam>(), AbiGroup::k1_3_0), "");
}

TEST(DefaultParam, ThatWriteBeyondTheStructDoNotFit) {
  DefaultParamBytes bytes = defaults_of(AbiGroup::k1_3_0);
  const size_t size = param_size(AbiGroup::k1_3_0);
  bytes[size] = std::byte{0};
  EXPECT_THAT(misfit(bytes, AbiGroup::k1_3_0), HasSubstr(std::to_string(size + 1) + " bytes"));
}

TEST(DefaultParam, ThatWereNeverWrittenFitNothing) {
  for (const AbiGroup group : kAbiGroups) EXPECT_THAT(misfit({}, group), HasSubstr("only 0 bytes"));
}

}  // namespace
}  // namespace rockllama::rkllm
