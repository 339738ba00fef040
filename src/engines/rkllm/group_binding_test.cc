#include "engines/rkllm/group_binding.h"

#include <gtest/gtest.h>

#include "engines/rkllm/abi_1_2_0.h"
#include "engines/rkllm/abi_1_2_1.h"
#include "engines/rkllm/abi_1_3_0.h"

namespace rockllama::rkllm {
namespace {

template <class Result>
class ResultOfGroup : public testing::Test {};
using Results =
    testing::Types<abi_1_1_0::RKLLMResult, abi_1_2_0::RKLLMResult, abi_1_2_1::RKLLMResult, abi_1_3_0::RKLLMResult>;
TYPED_TEST_SUITE(ResultOfGroup, Results);

TYPED_TEST(ResultOfGroup, MayHaveNoText) {
  TypeParam result{};
  result.token_id = 5;
  const CallbackEvent event = event_of(&result, 0);
  EXPECT_EQ(event.state, CallState::kNormal);
  EXPECT_EQ(event.piece.token, 5);
  EXPECT_EQ(event.piece.text, "");
}

TYPED_TEST(ResultOfGroup, MayBeNone) {
  const CallbackEvent event = event_of(static_cast<const TypeParam*>(nullptr), 2);
  EXPECT_EQ(event.state, CallState::kFinish);
  EXPECT_EQ(event.piece.token, -1);
}

TYPED_TEST(ResultOfGroup, GivesItsBytesAsTheyAre) {
  TypeParam result{};
  result.text = "\xe2\x82";
  EXPECT_EQ(event_of(&result, 0).piece.text, "\xe2\x82");
}

TYPED_TEST(ResultOfGroup, GivesNoTextWhileItWaitsForTheRestOfACharacter) {
  TypeParam result{};
  result.text = "\xe2\x82";
  const CallbackEvent event = event_of(&result, 1);
  EXPECT_EQ(event.state, CallState::kWaiting);
  EXPECT_EQ(event.piece.text, "");
}

TYPED_TEST(ResultOfGroup, GivesHiddenLayersInTheirOwnStateAndAsAnOrdinaryResult) {
  const float values[] = {1, 2, 3, 4, 5, 6};
  TypeParam result{};
  result.last_hidden_layer = {values, 3, 2};
  for (const int state : {0, 4}) {
    const CallbackEvent event = event_of(&result, state);
    EXPECT_EQ(event.state, CallState::kNormal);
    EXPECT_EQ(event.hidden.values.size(), 6u);
    EXPECT_EQ(event.hidden.tokens, 2);
    EXPECT_EQ(event.hidden.width, 3);
  }
}

TYPED_TEST(ResultOfGroup, HasNoHiddenLayerWhereItsNumbersMakeNoSense) {
  const float value = 1;
  TypeParam result{};
  result.last_hidden_layer = {&value, -1, 1};
  EXPECT_TRUE(event_of(&result, 0).hidden.values.empty());
}

TEST(GroupBinding, NeedsNoFieldThatAGroupHasNot) {
  EXPECT_EQ(GroupBinding<abi_1_1_0::Calls>(nullptr).clear_kv_cache(), -1);
  EXPECT_EQ(GroupBinding<abi_1_1_0::Calls>(nullptr).set_chat_template("", "", ""), -1);
  int32_t tokens = 0;
  EXPECT_EQ(GroupBinding<abi_1_2_0::Calls>(nullptr).get_kv_cache_size(&tokens), -1);
}

}  // namespace
}  // namespace rockllama::rkllm
