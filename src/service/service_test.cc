#include "service/service.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>

#include "tests/support/service_fixture.h"

namespace rockllama::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kText = "You are a helpful assistant.";

class CompletionsTest : public ServiceFixture {
 protected:
  CreateCache order(const std::string& name = "c") { return {.model = "m", .name = name, .text = kText}; }
  std::vector<std::string> what_was_said() {
    const std::lock_guard lock(said_mutex);
    return *said;
  }
  StateStatus chat_status(const std::string& name = "c") {
    const auto info = store->find("m", name, "");
    for (const StateInfo& state : info->binary) {
      if (state.format == StateFormat::kChat) return state.status;
    }
    return StateStatus::kUnsupported;
  }
};

TEST_F(CompletionsTest, AnswersAndCounts) {
  begin();
  const CompletionDone done = complete(chat("hi"));
  EXPECT_EQ(done.model, "m");
  EXPECT_EQ(done.usage.prompt_tokens, 10u);
  EXPECT_EQ(done.cache.tier, CacheTier::kNone);
  EXPECT_THAT(done.warnings, IsEmpty());
}

TEST_F(CompletionsTest, RefusesAModelThatThereIsNot) {
  begin();
  CompletionRequest request = chat("hi");
  request.model = "nobody";
  EXPECT_EQ(fail_to_complete(request).code, ErrorCode::kModelNotFound);
}

TEST_F(CompletionsTest, TakesTheOnlyModelWhenNoneIsNamed) {
  begin();
  CompletionRequest request = chat("hi");
  request.model = "";
  EXPECT_EQ(complete(request).model, "m");
}

TEST_F(CompletionsTest, GivesTheStateOfANamedCacheToTheWorker) {
  begin();
  const auto created = create(order());
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_TRUE(created->binary);
  EXPECT_THAT(created->states, ElementsAre(StateFormat::kChat, StateFormat::kRaw));
  EXPECT_EQ(complete(chat("hi", {"c"})).cache.tier, CacheTier::kDisk);
  EXPECT_TRUE(wait_until([this] { return store->find("m", "c", "")->hits == 1; }));
}

TEST_F(CompletionsTest, AnAliasNamesModelAndCache) {
  begin();
  ASSERT_TRUE(create(order()));
  CompletionRequest request = chat("hi");
  request.model = "m@c";
  EXPECT_EQ(complete(request).cache.name, "c");
}

TEST_F(CompletionsTest, AnswersWithoutACacheThatIsMissingAndSaysSo) {
  begin();
  const CompletionDone done = complete(chat("hi", {"missing"}));
  EXPECT_THAT(done.warnings, ElementsAre(HasSubstr("missing")));
  EXPECT_THAT(done.cache.reason, HasSubstr("missing"));
}

TEST_F(CompletionsTest, UsesTheDefaultCacheWhereTheRequestBringsNoSystemMessage) {
  options.default_cache = "c";
  begin();
  ASSERT_TRUE(create(order()));
  EXPECT_EQ(complete(chat("hi")).cache.name, "c");
  CompletionRequest own = chat("hi");
  std::get<ChatPrompt>(own.prompt)
      .messages.insert(std::get<ChatPrompt>(own.prompt).messages.begin(), ChatMessage{"system", "mine"});
  EXPECT_EQ(complete(own).cache.name, "");
}

TEST_F(CompletionsTest, RunsARequestAgainWhoseWorkerDiedBeforeItsAnswer) {
  begin();
  script->deaths_on_start = 1;
  EXPECT_EQ(complete(chat("hi")).usage.completion_tokens, 1u);
}

TEST_F(CompletionsTest, GivesUpARequestThatKillsTwice) {
  begin();
  script->deaths_on_start = 2;
  EXPECT_EQ(fail_to_complete(chat("hi")).code, ErrorCode::kInternal);
  EXPECT_EQ(complete(chat("hi")).usage.completion_tokens, 1u);
}

TEST_F(CompletionsTest, AnswersFromTheTextWhenTheRestoreKillsTheWorker) {
  begin();
  ASSERT_TRUE(create(order()));
  script->dies_restoring = "signal 11";
  const CompletionDone done = complete(chat("hi", {"c"}));
  EXPECT_EQ(done.cache.tier, CacheTier::kText);
  EXPECT_THAT(done.cache.reason, HasSubstr("quarantined"));
}

TEST_F(CompletionsTest, MakesAStateAgainThatTheEngineRefuses) {
  begin();
  ASSERT_TRUE(create(order()));
  script->refused_states = 1;
  const CompletionDone done = complete(chat("hi", {"c"}));
  EXPECT_EQ(done.cache.tier, CacheTier::kText);
  EXPECT_THAT(done.cache.reason, HasSubstr("wrong size"));
  EXPECT_TRUE(wait_until([this] { return complete(chat("hi", {"c"})).cache.tier == CacheTier::kDisk; }));
}

TEST_F(CompletionsTest, AnswersFromTheTextWhenTheStateIsDamagedAndRebuildsIt) {
  begin();
  ASSERT_TRUE(create(order()));
  { std::ofstream(folder + "/cache/m/c.llama_cache", std::ios::trunc) << "stata"; }
  const CompletionDone done = complete(chat("hi", {"c"}));
  EXPECT_EQ(done.cache.tier, CacheTier::kText);
  EXPECT_NE(done.cache.reason, "");
  EXPECT_TRUE(wait_until([this] { return chat_status() == StateStatus::kReady; }));
  EXPECT_EQ(complete(chat("hi", {"c"})).cache.tier, CacheTier::kDisk);
}

TEST_F(CompletionsTest, CachePromptFalseUsesNoState) {
  begin();
  ASSERT_TRUE(create(order()));
  CompletionRequest request = chat("hi", {"c"});
  request.options.reuse = ReusePolicy::kNone;
  EXPECT_EQ(complete(request).cache.tier, CacheTier::kText);
}

TEST_F(CompletionsTest, RefusesWhatTheQueueDoesNotHold) {
  options.queue_limit = 1;
  begin();
  script->hold_answers = true;
  const auto first = service->completions().run(chat("hi"), 1, [](const CompletionEvent&) {});
  ASSERT_TRUE(wait_until([this] { return !what_was_said().empty(); }));
  EXPECT_EQ(fail_to_complete(chat("hi")).code, ErrorCode::kQueueFull);
  first.cancel();
}

TEST_F(CompletionsTest, CancelEndsARequestAndTellsTheWorker) {
  begin();
  script->hold_answers = true;
  std::atomic<bool> started = false;
  std::atomic<int> errors = 0;
  const auto handle = service->completions().run(chat("hi"), 1, [&](const CompletionEvent& event) {
    if (std::holds_alternative<CompletionStarted>(event)) started = true;
    if (std::holds_alternative<Error>(event)) ++errors;
  });
  ASSERT_TRUE(wait_until([&] { return started.load(); }));
  handle.cancel();
  handle.cancel();
  EXPECT_EQ(errors, 1);
  EXPECT_THAT(what_was_said(), Contains("cancel m"));
}

TEST_F(CompletionsTest, SaysWhyAModelCannotBeLoadedAndTriesAgain) {
  begin();
  script->load_fails = true;
  EXPECT_THAT(fail_to_complete(chat("hi")).message, HasSubstr("bad file"));
  script->load_fails = false;
  EXPECT_EQ(complete(chat("hi")).model, "m");
}

TEST_F(CompletionsTest, FailsAtOnceWhenTheWorkerIsGoneForGoodAndTriesAgainWithTheNextRequest) {
  begin();
  (void)complete(chat("hi"));
  script->dies_for_good = true;
  EXPECT_THAT(fail_to_complete(chat("hi")).message, HasSubstr("it is gone"));
  EXPECT_FALSE(service->models().readiness().ready);
  script->dies_for_good = false;
  EXPECT_EQ(complete(chat("hi")).model, "m");
}

class CachesTest : public CompletionsTest {};

TEST_F(CachesTest, AnswersAtOnceWhenNothingChanged) {
  begin();
  ASSERT_TRUE(create(order()));
  const size_t said_before = what_was_said().size();
  const auto again = create(order());
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->binary);
  EXPECT_THAT(again->message, HasSubstr("nothing was rebuilt"));
  EXPECT_EQ(what_was_said().size(), said_before);
}

TEST_F(CachesTest, RefusesToOverwriteWhereAsked) {
  begin();
  ASSERT_TRUE(create(order()));
  CreateCache again = order();
  again.overwrite = false;
  EXPECT_EQ(create(again).error().code, ErrorCode::kConflict);
}

TEST_F(CachesTest, KeepsTheTextWhereTheEngineCannotSave) {
  script->state_save = false;
  begin();
  const auto created = create(order());
  ASSERT_TRUE(created);
  EXPECT_FALSE(created->binary);
  EXPECT_NE(created->warning, "");
  EXPECT_EQ(*store->text("m", "c"), kText);
}

TEST_F(CachesTest, KeepsTheTextWhereTheDiskIsFull) {
  begin();
  script->save_error = Error{ErrorCode::kNoSpace, "no space left on the device"};
  const auto created = create(order());
  ASSERT_TRUE(created);
  EXPECT_FALSE(created->binary);
  EXPECT_THAT(created->warning, HasSubstr("no space"));
  EXPECT_EQ(complete(chat("hi", {"c"})).cache.tier, CacheTier::kText);
}

TEST_F(CachesTest, StoresATextWithoutLoadingTheModel) {
  begin();
  CreateCache request = order();
  request.format = CacheFormatChoice::kTextOnly;
  ASSERT_TRUE(create(request));
  EXPECT_THAT(what_was_said(), IsEmpty());
  std::promise<bool> generated;
  service->caches().generate_binary(
      "m", "c", std::nullopt, {}, [&](Result<CacheCreated> result) { generated.set_value(result && result->binary); });
  EXPECT_TRUE(generated.get_future().get());
  EXPECT_TRUE(create(request)->binary) << "its states stay with the same text";
}

TEST_F(CachesTest, RefusesABadNameAndAModelThatThereIsNot) {
  begin();
  EXPECT_EQ(create(order("../x")).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(create({.model = "nobody", .name = "c", .text = kText}).error().code, ErrorCode::kModelNotFound);
}

TEST_F(CachesTest, AStateOfTheStoredTextNeverBringsAnOldTextBack) {
  begin();
  ASSERT_TRUE(store->commit("m", "c", "Edited meanwhile.", {}, {}));
  CreateCache state_of_old_text = order();
  state_of_old_text.keeps_text = true;
  EXPECT_EQ(create(state_of_old_text).error().code, ErrorCode::kConflict);
  EXPECT_EQ(*store->text("m", "c"), "Edited meanwhile.");
  ASSERT_TRUE(store->remove("m", "c"));
  EXPECT_EQ(create(state_of_old_text).error().code, ErrorCode::kNotFound);
}

TEST_F(CachesTest, MakesStatesOfCachesWithNamesOfAnOlderServer) {
  begin();
  ASSERT_TRUE(store->commit("m", "my notes", kText, {}, {}));
  std::promise<bool> generated;
  service->caches().generate_binary("m", "my notes", std::nullopt, {}, [&](Result<CacheCreated> result) {
    generated.set_value(result && result->binary);
  });
  EXPECT_TRUE(generated.get_future().get());
  EXPECT_EQ(create(order("my notes")).error().code, ErrorCode::kInvalidArgument);
}

CreateCache conversation(const std::string& name, const std::string& parent = {}) {
  const CacheContent content = {.messages = {{"user", "Two and two?"}, {"assistant", "Four."}}};
  return {.model = "m", .name = name, .text = stored_text(content), .parent = parent};
}

TEST_F(CachesTest, OfMessagesHaveOnlyAChatState) {
  begin();
  const auto created = create(conversation("shots"));
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_THAT(created->states, ElementsAre(StateFormat::kChat));
  CreateCache raw = conversation("raw");
  raw.format = CacheFormatChoice::kRaw;
  EXPECT_EQ(create(raw).error().param, "format");
  raw.text = "a text";
  raw.parent = "shots";
  EXPECT_EQ(create(raw).error().param, "format");
}

TEST_F(CachesTest, BeginTheStateOfAChildFromThatOfItsParent) {
  begin();
  ASSERT_TRUE(create(order()));
  const auto child = create(conversation("child", "c"));
  ASSERT_TRUE(child && child->binary);
  EXPECT_THAT(what_was_said(), Contains(HasSubstr("lend m/c/chat/")));
  EXPECT_EQ(service->caches().get("m", "child")->info.parent, "c");
  EXPECT_THAT(create(conversation("child", "c"))->message, HasSubstr("up to date"));
  EXPECT_THAT(create(conversation("child"))->message, Not(HasSubstr("up to date")));
  EXPECT_EQ(service->caches().get("m", "child")->info.parent, "");
}

TEST_F(CachesTest, GoWithoutTheParentsStateWhereItIsGone) {
  begin();
  ASSERT_TRUE(create(order()));
  std::filesystem::remove(folder + "/cache/m/c.llama_cache");
  EXPECT_TRUE(create(conversation("child", "c"))->binary);
  EXPECT_THAT(what_was_said(), Not(Contains(HasSubstr("lend"))));
}

TEST_F(CachesTest, RefuseAParentThatThereIsNot) {
  begin();
  const auto created = create(conversation("child", "nobody"));
  EXPECT_EQ(created.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(created.error().param, "parent");
}

TEST_F(CachesTest, AreRemovedWithTheirChildrenOnlyWhereAsked) {
  begin();
  ASSERT_TRUE(create(order()));
  ASSERT_TRUE(create(conversation("child", "c")));
  const auto refused = service->caches().remove("m", "c", {});
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message, HasSubstr("child"));
  EXPECT_TRUE(service->caches().remove("m", "c", {.cascade = true}));
  EXPECT_EQ(service->caches().get("m", "child").error().code, ErrorCode::kNotFound);
}

class WarmUpTest : public CompletionsTest {
 protected:
  WarmUpTest() {
    options.system_prompt = [] { return "Be brief."; };
    options.system_prompt_source = "config/system.txt";
  }
  void load_again() {
    std::promise<void> unloaded;
    service->models().unload("m", [&](const Status&) { unloaded.set_value(); });
    unloaded.get_future().wait();
    (void)complete(chat("hi"));
  }
  long saves() {
    const auto all = what_was_said();
    return std::count_if(all.begin(), all.end(), [](const std::string& what) { return what.starts_with("save"); });
  }
};

TEST_F(WarmUpTest, MakesTheSystemCacheBeforeTheModelIsReady) {
  begin();
  (void)complete(chat("hi"));
  EXPECT_EQ(*store->text("m", "system"), "Be brief.");
  EXPECT_EQ(store->find("m", "system", "")->source, "config/system.txt");
  EXPECT_THAT(what_was_said(), ElementsAre("load m", "save chat", "save raw", "start m text"));
}

TEST_F(WarmUpTest, KeepsASystemCacheThatAPersonMade) {
  begin();
  ASSERT_TRUE(store->commit("m", "system", "Mine.", {}, {.source = "api"}));
  (void)complete(chat("hi"));
  EXPECT_EQ(*store->text("m", "system"), "Mine.");
}

TEST_F(WarmUpTest, KeepsASystemCacheThatAPersonEdited) {
  begin();
  ASSERT_TRUE(store->commit("m", "system", "Old.", {}, {.source = "config/system.txt"}));
  { std::ofstream(folder + "/cache/m/system.bin", std::ios::trunc) << "Edited."; }
  (void)complete(chat("hi"));
  EXPECT_EQ(*store->text("m", "system"), "Edited.");
}

TEST_F(WarmUpTest, ReplacesItsOwnWhenTheFileChanged) {
  begin();
  ASSERT_TRUE(store->commit("m", "system", "Old.", {}, {.source = "config/system.txt"}));
  (void)complete(chat("hi"));
  EXPECT_EQ(*store->text("m", "system"), "Be brief.");
}

TEST_F(WarmUpTest, KeepsASystemCacheOfTheSameTextThatSomebodyAskedFor) {
  begin();
  (void)complete(chat("hi"));
  ASSERT_TRUE(create({.model = "m", .name = "system", .text = "Be brief."}));
  EXPECT_EQ(store->find("m", "system", "")->source, "api");
}

TEST_F(WarmUpTest, UsesTheOneThereAtLaterLoadsUnlessTheModelChanged) {
  begin();
  (void)complete(chat("hi"));
  load_again();
  EXPECT_EQ(saves(), 2);  // chat and raw
  script->engine_fingerprint = "another build";
  load_again();
  EXPECT_EQ(saves(), 4);
}

TEST_F(WarmUpTest, MakesItAgainAfterItWasDeleted) {
  begin();
  (void)complete(chat("hi"));
  ASSERT_TRUE(store->remove("m", "system"));
  load_again();
  EXPECT_TRUE(store->find("m", "system", "")->has_binary);
}

TEST_F(WarmUpTest, KeepsWhatSomebodyMakesOfItMeanwhile) {
  begin();
  script->in_save = [this] { ASSERT_TRUE(store->commit("m", "system", "Mine.", {}, {.source = "api"})); };
  (void)complete(chat("hi"));
  EXPECT_EQ(*store->text("m", "system"), "Mine.");
  EXPECT_EQ(store->find("m", "system", "")->source, "api");
}

TEST_F(WarmUpTest, ServesAlthoughTheWorkerDiesOfIt) {
  begin();
  script->deaths_on_save = 1;
  EXPECT_EQ(complete(chat("hi")).usage.completion_tokens, 1u);
}

TEST_F(WarmUpTest, TakesTheTextThatTheFileHasAtTheLoad) {
  auto text = std::make_shared<std::string>("First.");
  options.system_prompt = [text] { return *text; };
  begin();
  *text = "Second.";
  (void)complete(chat("hi"));
  EXPECT_EQ(*store->text("m", "system"), "Second.");
}

TEST_F(WarmUpTest, IsNoReasonNotToServe) {
  begin();
  script->save_error = Error{ErrorCode::kIo, "broken"};
  EXPECT_EQ(complete(chat("hi")).usage.completion_tokens, 1u);
}

TEST_F(ServiceFixture, IsNotReadyWithoutAnyModel) {
  std::filesystem::remove_all(folder + "/models");
  begin();
  EXPECT_FALSE(service->models().readiness().ready);
  add_model("m");
  EXPECT_TRUE(service->models().readiness().ready);
}

class ModelsTest : public CompletionsTest {
 protected:
  ModelsTest() { add_model("n"); }
};

TEST_F(ModelsTest, TheLeastRecentlyUsedMakesRoom) {
  options.max_loaded = 1;
  begin();
  (void)complete(chat("hi"));
  CompletionRequest other = chat("hi");
  other.model = "n";
  EXPECT_EQ(complete(other).model, "n");
  EXPECT_THAT(what_was_said(), ElementsAre("load m", "start m text", "stop m", "load n", "start n text"));
}

TEST_F(ModelsTest, UnloadEndsTheWorkerAndLoadBringsItBack) {
  begin();
  (void)complete(chat("hi"));
  std::promise<Status> unloaded;
  service->models().unload("m", [&](const Status& status) { unloaded.set_value(status); });
  EXPECT_TRUE(unloaded.get_future().get());
  EXPECT_FALSE(service->models().find("m")->loaded);
  std::promise<Status> loaded;
  service->models().load("m", [&](const Status& status) { loaded.set_value(status); });
  EXPECT_TRUE(loaded.get_future().get());
  EXPECT_TRUE(service->models().find("m")->loaded);
}

TEST_F(ModelsTest, AnIdleModelIsUnloaded) {
  options.keep_alive_s = 0.01;
  begin();
  (void)complete(chat("hi"));
  EXPECT_TRUE(wait_until([this] { return !service->models().find("m")->loaded; }));
}

TEST_F(ModelsTest, ReadinessNamesWhatIsLoaded) {
  begin();
  (void)complete(chat("hi"));
  EXPECT_THAT(service->models().readiness().loaded, ElementsAre("m"));
  EXPECT_TRUE(service->models().readiness().ready);
}

TEST_F(ModelsTest, SeveralModelsAndNoNameIsAnError) {
  begin();
  CompletionRequest request = chat("hi");
  request.model = "";
  EXPECT_EQ(fail_to_complete(request).code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace rockllama::test
