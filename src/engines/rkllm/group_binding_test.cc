#include "engines/rkllm/group_binding.h"

#include <gtest/gtest.h>

#include "engines/rkllm/abi_1_2_0.h"
#include "engines/rkllm/abi_1_2_1.h"
#include "engines/rkllm/abi_1_2_1b1.h"
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

// A library that writes down what it is given.
template <class Calls>
struct Noted {
  using Param = typename Calls::Param;
  using Input = typename Calls::Input;
  using InferParam = typename Calls::InferParam;

  static inline Param param{};
  static inline Input* input = nullptr;
  static inline InferParam* infer = nullptr;

  static Param defaults() { return {}; }
  template <class Callback>
  static int init(abi_1_1_0::LLMHandle* handle, Param* given, Callback) {
    static int anything = 0;
    param = *given;
    *handle = &anything;
    return 0;
  }
  static int run(abi_1_1_0::LLMHandle, Input* given, InferParam* given_infer, void*) {
    input = given;
    infer = given_infer;
    return 0;
  }
  static int is_running(abi_1_1_0::LLMHandle) { return 0; }

  template <class P, class Callback>
  static void note_init(int (**call)(abi_1_1_0::LLMHandle*, P*, Callback)) {
    *call = &init<Callback>;
  }
  static Calls calls() {
    Calls calls{};
    calls.rkllm_createDefaultParam = &defaults;
    note_init(&calls.rkllm_init);
    calls.rkllm_run = &run;
    calls.rkllm_is_running = &is_running;
    return calls;
  }
};

template <class Calls>
class CallsOfGroup : public testing::Test {};
using Groups =
    testing::Types<abi_1_1_0::Calls, abi_1_2_0::Calls, abi_1_2_1b1::Calls, abi_1_2_1::Calls, abi_1_3_0::Calls>;
TYPED_TEST_SUITE(CallsOfGroup, Groups);

TYPED_TEST(CallsOfGroup, InitGetsTheSettingsOfTheHardware) {
  const CallbackReceiver receiver;
  GroupBinding<TypeParam> binding(Noted<TypeParam>::calls());
  ASSERT_TRUE(binding
                  .init({.model_path = "m.rkllm",
                         .max_context_len = 2048,
                         .n_keep = 7,
                         .base_domain_id = 3,
                         .embed_flash = true,
                         .enabled_cpus_num = 4,
                         .enabled_cpus_mask = 0xf0},
                        &receiver)
                  .has_handle);
  const auto& param = Noted<TypeParam>::param;
  EXPECT_STREQ(param.model_path, "m.rkllm");
  EXPECT_EQ(param.max_context_len, 2048);
  EXPECT_FALSE(param.is_async);
  EXPECT_EQ(param.extend_param.base_domain_id, 3);
  if constexpr (requires { param.n_keep; }) {
    EXPECT_EQ(param.n_keep, 7);
  }
  if constexpr (requires { param.extend_param.embed_flash; }) {
    EXPECT_EQ(param.extend_param.embed_flash, 1);
    EXPECT_EQ(param.extend_param.enabled_cpus_num, 4);
    EXPECT_EQ(param.extend_param.enabled_cpus_mask, 0xf0u);
  }
  if constexpr (requires { param.extend_param.n_batch; }) {
    EXPECT_EQ(param.extend_param.n_batch, 1);
  }
}

TYPED_TEST(CallsOfGroup, InitGetsEmptyTextsForImageTags) {
  const CallbackReceiver receiver;
  GroupBinding<TypeParam>(Noted<TypeParam>::calls()).init({.model_path = "m.rkllm"}, &receiver);
  if constexpr (requires(typename TypeParam::Param param) { param.img_start; }) {
    EXPECT_STREQ(Noted<TypeParam>::param.img_start, "");
    EXPECT_STREQ(Noted<TypeParam>::param.img_end, "");
    EXPECT_STREQ(Noted<TypeParam>::param.img_content, "");
  }
}

TYPED_TEST(CallsOfGroup, WhatARunIsGivenLivesUntilItsEndAndIsForgottenThen) {
  using Library = Noted<TypeParam>;
  GroupBinding<TypeParam> binding(Library::calls());
  ASSERT_EQ(binding.run({.input = "Hello.", .save_cache_path = "/tmp/state", .lora_adapter = "tuned"}), 0);
  // A runtime that is back before its last callback still reads these.
  EXPECT_STREQ(Library::input->prompt_input, "Hello.");
  EXPECT_STREQ(Library::infer->lora_params->lora_adapter_name, "tuned");
  EXPECT_STREQ(Library::infer->prompt_cache_params->prompt_cache_path, "/tmp/state");
  binding.end_run();
  EXPECT_EQ(Library::input->prompt_input, nullptr);
  EXPECT_EQ(Library::infer->lora_params, nullptr);
  EXPECT_EQ(Library::infer->prompt_cache_params, nullptr);
  if constexpr (requires { Library::infer->sampling_params; }) {
    EXPECT_EQ(Library::infer->sampling_params, nullptr);
  }
}

TEST(GroupBinding, NeedsNoFieldThatAGroupHasNot) {
  EXPECT_EQ(GroupBinding<abi_1_1_0::Calls>({}).clear_kv_cache(), -1);
  EXPECT_EQ(GroupBinding<abi_1_1_0::Calls>({}).set_chat_template("", "", ""), -1);
  int32_t tokens = 0;
  EXPECT_EQ(GroupBinding<abi_1_2_0::Calls>({}).get_kv_cache_size(&tokens), -1);
}

}  // namespace
}  // namespace rockllama::rkllm
