// Runs the real rockllama-worker with scripted models.
#include <gmock/gmock.h>
#include <sys/mman.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "base/subprocess.h"
#include "protocol/codec.h"
#include "protocol/frame_channel.h"

namespace rockllama {
namespace {

using protocol::Command;
using protocol::Event;
using ::testing::HasSubstr;

constexpr int kWorkerFd = 3;
constexpr int kPatienceMs = 60'000;
constexpr char kChatml[] =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    std::string folder = ::testing::TempDir() + "rockllama-session-XXXXXX";
    folder_ = ::mkdtemp(folder.data());
    auto sockets = protocol::make_socket_pair().value();
    channel_.emplace(std::move(sockets.first));
    worker_.emplace(Subprocess::spawn({ROCKLLAMA_WORKER_PROGRAM, "--fd", std::to_string(kWorkerFd)},
                                      {{sockets.second.get(), kWorkerFd}})
                        .value());
  }
  ~SessionTest() override { std::filesystem::remove_all(folder_); }

  void send(const Command& command, int fd = -1) { EXPECT_TRUE(channel_->send(protocol::encode(command), fd)); }

  // The next event; nothing at the end of the stream or for garbage.
  std::optional<Event> next() {
    auto frame = channel_->receive();
    if (!frame || !*frame) return std::nullopt;
    auto event = protocol::decode_event((*frame)->bytes);
    if (!event) return std::nullopt;
    return std::move(*event);
  }

  // The next event of this kind; those before it are kept in `seen_`.
  template <class T>
  std::optional<T> await() {
    while (auto event = next()) {
      if (const T* wanted = std::get_if<T>(&*event)) return *wanted;
      if (const auto* tokens = std::get_if<protocol::Tokens>(&*event)) text_ += tokens->piece.text;
      seen_.push_back(std::move(*event));
    }
    return std::nullopt;
  }

  void ask_to_load(const std::string& script, uint32_t version = protocol::kVersion) {
    const std::string file = folder_ + "/script";
    std::ofstream(file) << script;
    send(protocol::Hello{version});
    send(protocol::Load{{.name = "m",
                         .engine = EngineKind::kScripted,
                         .file = file,
                         .tokenizer_file = std::string(ROCKLLAMA_VOCABULARIES) + "/ggml-vocab-gpt-2.gguf",
                         .chat_template = kChatml,
                         .block_tokens = 16}});
  }

  LoadedModel load(const std::string& script) {
    ask_to_load(script);
    const auto loaded = await<protocol::Loaded>();
    EXPECT_TRUE(loaded);
    return loaded.value_or(protocol::Loaded{}).model;
  }

  protocol::Prepared prepare(RequestId id, std::vector<CacheReference> caches = {},
                             std::vector<std::string> stop = {}) {
    send(protocol::Prepare{.id = id,
                           .prompt = ChatPrompt{{{"user", "Hello there"}}},
                           .options = {.stop = std::move(stop)},
                           .caches = std::move(caches)});
    const auto prepared = await<protocol::Prepared>();
    EXPECT_TRUE(prepared);
    return prepared.value_or(protocol::Prepared{});
  }

  std::optional<ExitStatus> end() { return worker_->wait(kPatienceMs); }

  std::string folder_;
  std::optional<protocol::FrameChannel> channel_;
  std::optional<Subprocess> worker_;
  std::vector<Event> seen_;
  std::string text_;
};

TEST_F(SessionTest, AnswersAChatFromPrepareToFinished) {
  const LoadedModel model = load("answer One two three.");
  EXPECT_TRUE(model.has_chat_template);
  EXPECT_EQ(model.engine_version, "scripted");
  const protocol::Prepared prepared = prepare(1);
  EXPECT_GT(prepared.prompt_tokens, 5u);
  send(protocol::Start{1, 100});
  const auto finished = await<protocol::Finished>();
  ASSERT_TRUE(finished);
  EXPECT_EQ(text_, "One two three.");
  EXPECT_EQ(finished->reason, FinishReason::kStop);
  EXPECT_EQ(finished->usage.prompt_tokens, prepared.prompt_tokens);
  EXPECT_EQ(finished->usage.completion_tokens, 4u);
}

TEST_F(SessionTest, NeverShowsAStopString) {
  load("answer One two three. END of it");
  prepare(1, {}, {". END"});
  send(protocol::Start{1, 100});
  EXPECT_EQ(await<protocol::Finished>()->reason, FinishReason::kStop);
  EXPECT_EQ(text_, "One two three");
}

TEST_F(SessionTest, ShowsWhatWasHeldBackAtTheEnd) {
  load("answer One two. EN");
  prepare(1, {}, {". END"});
  send(protocol::Start{1, 100});
  EXPECT_TRUE(await<protocol::Finished>());
  EXPECT_EQ(text_, "One two. EN");
}

TEST_F(SessionTest, StopsAtTheCreditAndGoesOnWithMore) {
  load("answer One two three.");
  prepare(1);
  send(protocol::Start{1, 1});
  EXPECT_EQ(await<protocol::Tokens>()->piece.text, "One");
  prepare(2);
  send(protocol::Credit{1, 100});
  EXPECT_TRUE(await<protocol::Finished>());
  EXPECT_EQ(text_, " two three.");
}

TEST_F(SessionTest, SavesAStateAndRestoresIt) {
  load("answer Yes.");
  const std::string text = "You are a careful assistant. You answer in one word, and you never explain yourself.";
  const UniqueFd file(::memfd_create("state", MFD_CLOEXEC));
  send(protocol::SaveState{1, StateFormat::kChat, {{.text = text}}}, file.get());
  const auto saved = await<protocol::StateSaved>();
  ASSERT_TRUE(saved);
  EXPECT_GT(saved->state.bytes, 0u);

  const StateKey key{"tale/chat/1", saved->state.tokens, saved->state.token_hash};
  const protocol::Prepared prepared = prepare(2, {{"tale", {{.text = text}}, key, ""}});
  EXPECT_EQ(prepared.state, std::vector{key});
  send(protocol::Start{2, 100}, file.get());
  EXPECT_EQ(await<protocol::Restoring>()->state_id, key.id);
  const auto started = await<protocol::Started>();
  ASSERT_TRUE(started);
  EXPECT_EQ(started->cache.name, "tale");
  EXPECT_EQ(started->cache.tier, CacheTier::kDisk);
  EXPECT_EQ(started->cache.tokens, key.tokens);
  EXPECT_TRUE(await<protocol::Finished>());
}

TEST_F(SessionTest, AnswersFromTheTextWhenTheStatesFileCouldNotBeHad) {
  load("answer Yes.");
  const UniqueFd file(::memfd_create("state", MFD_CLOEXEC));
  send(protocol::SaveState{1, StateFormat::kChat, {{.text = "You are careful."}}}, file.get());
  const auto saved = await<protocol::StateSaved>();
  prepare(
      2, {{"tale", {{.text = "You are careful."}}, StateKey{"t/1", saved->state.tokens, saved->state.token_hash}, ""}});
  send(protocol::Start{2, 100});
  const auto started = await<protocol::Started>();
  EXPECT_EQ(started->cache.tier, CacheTier::kText);
  EXPECT_THAT(started->cache.reason, HasSubstr("could not be had"));
  EXPECT_TRUE(await<protocol::Finished>());
}

TEST_F(SessionTest, CancelsInMidAnswer) {
  load("answer One\nrepeat 100000\ntoken_delay_ms 1");
  prepare(1);
  send(protocol::Start{1, 1'000'000});
  EXPECT_TRUE(await<protocol::Tokens>());
  send(protocol::Cancel{1});
  EXPECT_EQ(await<protocol::Failed>()->code, ErrorCode::kCancelled);
}

TEST_F(SessionTest, ForgetsAPreparedRequestThatIsCancelled) {
  load("answer One");
  prepare(1);
  send(protocol::Cancel{1});
  EXPECT_EQ(await<protocol::Failed>()->code, ErrorCode::kCancelled);
  send(protocol::Cancel{1});
  send(protocol::Start{1, 1});
  EXPECT_EQ(await<protocol::Failed>()->code, ErrorCode::kInternal);
}

TEST_F(SessionTest, RefusesToSaveAStateWithoutAFile) {
  load("answer One");
  send(protocol::SaveState{1, StateFormat::kRaw, {{.text = "text"}}});
  EXPECT_EQ(await<protocol::Failed>()->code, ErrorCode::kIo);
}

TEST_F(SessionTest, AnswersWhileTheEngineIsBusy) {
  load("answer One\nrepeat 100000\ntoken_delay_ms 1");
  prepare(1);
  send(protocol::Start{1, 1'000'000});
  EXPECT_TRUE(await<protocol::Tokens>());
  EXPECT_GT(prepare(2).prompt_tokens, 0u);
}

TEST_F(SessionTest, EndsWithCodeZeroAtShutdown) {
  load("answer One");
  send(protocol::Shutdown{});
  EXPECT_EQ(end(), (ExitStatus{0, 0}));
}

TEST_F(SessionTest, EndsWithTheServerEvenWhenTheEngineHangs) {
  load("answer One two\nhang_on_token 2");
  prepare(1);
  send(protocol::Start{1, 100});
  EXPECT_TRUE(await<protocol::Tokens>());
  channel_->close();
  EXPECT_EQ(end(), (ExitStatus{0, 0}));
}

TEST_F(SessionTest, EndsWithTheServerEvenWhenTheLoadHangs) {
  ask_to_load("hang_on_load");
  EXPECT_TRUE(await<protocol::Hello>());
  channel_->close();
  EXPECT_EQ(end(), (ExitStatus{0, 0}));
}

TEST_F(SessionTest, SaysWhyAModelCannotBeLoaded) {
  ask_to_load("dance");
  EXPECT_EQ(await<protocol::LoadFailed>()->message, "Line 1 of the script means nothing.");
  EXPECT_EQ(end(), (ExitStatus{1, 0}));
}

TEST_F(SessionTest, RefusesAServerOfAnotherVersion) {
  send(protocol::Hello{protocol::kVersion + 1});
  EXPECT_EQ(end(), (ExitStatus{2, 0}));
}

TEST_F(SessionTest, RefusesGarbage) {
  load("answer One");
  EXPECT_TRUE(channel_->send("\xff\xff"));
  EXPECT_EQ(end(), (ExitStatus{2, 0}));
}

TEST_F(SessionTest, IgnoresTheSignalsOfATerminalAndAServiceManager) {
  load("answer One");
  worker_->signal(SIGINT);
  worker_->signal(SIGTERM);
  EXPECT_GT(prepare(1).prompt_tokens, 0u);
}

TEST_F(SessionTest, DiesOfAFaultInTheEngine) {
  load("answer One two\ncrash_on_token 2");
  prepare(1);
  send(protocol::Start{1, 100});
  EXPECT_FALSE(await<protocol::Finished>());
  EXPECT_EQ(text_, "One");
  EXPECT_EQ(end(), (ExitStatus{0, SIGSEGV}));
}

TEST_F(SessionTest, SendsGarbageWhereTheScriptSays) {
  load("answer One two three\ngarbage_frame_on_token 2");
  prepare(1);
  send(protocol::Start{1, 100});
  EXPECT_FALSE(await<protocol::Finished>());
  EXPECT_EQ(text_, "One");
  EXPECT_TRUE(next());
}

TEST(WorkerProgram, ExplainsItselfWhenStartedByHand) {
  auto worker = Subprocess::spawn({ROCKLLAMA_WORKER_PROGRAM}, {});
  EXPECT_EQ(worker->wait(kPatienceMs), (ExitStatus{2, 0}));
}

// So that a vendor's runtime with a llama.cpp of its own cannot meet ours.
TEST(WorkerProgram, ExportsNoSymbolOfLlamaCpp) {
  const std::string list = "nm -D --defined-only " + std::string(ROCKLLAMA_WORKER_FILE);
  EXPECT_EQ(std::system((list + " > /dev/null").c_str()), 0);
  EXPECT_NE(std::system((list + " | grep -qE ' (ggml|llama|gguf)_'").c_str()), 0);
}

}  // namespace
}  // namespace rockllama
