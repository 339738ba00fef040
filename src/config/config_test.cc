#include "config/config.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cache/cache_content.h"
#include "config/config_fields.h"
#include "config/structured_fields.h"

namespace rockllama {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

// Runs in a folder of its own, because config/ is looked for in the working directory.
class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() : before_(std::filesystem::current_path()) {
    std::string path = (std::filesystem::temp_directory_path() / "rockllama-config-XXXXXX").string();
    folder_ = ::mkdtemp(path.data());
    std::filesystem::create_directories(folder_ + "/config");
    std::filesystem::current_path(folder_);
  }
  ~ConfigTest() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(folder_);
  }
  static void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
  Config load(const ConfigSources& sources = {}) { return load_config(sources, &report); }

  ConfigReport report;

 private:
  std::filesystem::path before_;
  std::string folder_;
};

TEST_F(ConfigTest, IsTheDefaultsWithoutAnyFile) {
  const Config config = load();
  EXPECT_EQ(config.server.port, 8080);
  EXPECT_EQ(config.system_prompt, "");
  EXPECT_THAT(report.errors, IsEmpty());
}

TEST_F(ConfigTest, FlagsWinOverEnvironmentOverFile) {
  write("config/rockllama.json", R"({"server": {"port": 1, "host": "a", "queue_limit": 5}})");
  const Config config = load({.environment = {{"ROCKLLAMA_SERVER_PORT", "2"}, {"ROCKLLAMA_SERVER_HOST", "b"}},
                              .flags = {{"server.port", "3"}}});
  EXPECT_EQ(config.server.port, 3);
  EXPECT_EQ(config.server.host, "b");
  EXPECT_EQ(config.server.queue_limit, 5);
}

TEST_F(ConfigTest, ReportsEveryFaultAtOnce) {
  write("config/rockllama.json", R"({"server": {"port": 70000, "log_level": "loud"}, "models": 7})");
  write("config/inference_config.json", R"({"inference_params": {"temperature": "hot"}})");
  (void)load({.environment = {{"ROCKLLAMA_MODELS_PARALLEL", "many"}}, .flags = {{"server.queue_limit", "0"}}});
  EXPECT_THAT(report.errors,
              ElementsAre(HasSubstr("models: must be an object"), HasSubstr("server.log_level: must be one of"),
                          HasSubstr("server.port: must be a whole number from 0 to 65535"),
                          HasSubstr("temperature: must be a number from 0 to 2"),
                          HasSubstr("ROCKLLAMA_MODELS_PARALLEL"), HasSubstr("--server.queue_limit")));
}

TEST_F(ConfigTest, WarnsOfUnknownKeysWithTheirPath) {
  write("config/rockllama.json", R"({"server": {"prot": 1, "notes": "mine"}, "extra": {}, "description": {}})");
  (void)load();
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr("extra: unknown key"), HasSubstr("server.prot: unknown key")));
  EXPECT_THAT(report.errors, IsEmpty());
}

TEST_F(ConfigTest, ANamedFileMustBeThere) {
  (void)load({.config_file = "nowhere.json"});
  EXPECT_THAT(report.errors, ElementsAre(HasSubstr("nowhere.json")));
}

TEST_F(ConfigTest, RefusesWhatIsNotJson) {
  for (const char* text : {"{", "[]", "7", ""}) {
    report = {};
    write("config/rockllama.json", text);
    (void)load();
    EXPECT_EQ(report.errors.size(), 1u) << text;
  }
}

TEST_F(ConfigTest, SurvivesDeepNesting) {
  write("config/rockllama.json", std::string(100'000, '[') + std::string(100'000, ']'));
  (void)load();
  EXPECT_EQ(report.errors.size(), 1u);
}

TEST_F(ConfigTest, ReadsTheSystemPromptFromItsFileFirst) {
  write("config/inference_config.json", R"({"chat_template": {"system_prompt": "from the template"}})");
  EXPECT_EQ(load().system_prompt, "from the template");
  write("config/system.txt", "from the file\n\n");
  const Config config = load();
  EXPECT_EQ(config.system_prompt, "from the file");
  EXPECT_EQ(config.system_prompt_source, "config/system.txt");
}

TEST_F(ConfigTest, FindsItsFilesBesideTheNamedOne) {
  std::filesystem::create_directories("elsewhere");
  write("elsewhere/rockllama.json", R"({"models": {"preload": ["a", "b"]}})");
  write("elsewhere/system.txt", "hello");
  const Config config = load({.config_file = "elsewhere/rockllama.json"});
  EXPECT_THAT(config.models.preload, ElementsAre("a", "b"));
  EXPECT_EQ(config.system_prompt, "hello");
}

TEST_F(ConfigTest, ListsInTheEnvironmentAreSeparatedByCommas) {
  EXPECT_THAT(load({.environment = {{"ROCKLLAMA_MODELS_PRELOAD", "a,b"}}}).models.preload, ElementsAre("a", "b"));
}

TEST_F(ConfigTest, TakesStartupCachesFromAListWithTextsFromFiles) {
  write("config/coding.txt", "You write code.\n\n");
  write("notes.txt", "From the working directory.");
  write("config/rockllama.json", R"({"startup_caches": [
    {"model": "m", "name": "coding", "file": "coding.txt", "pinned": true, "format": "chat", "required": true},
    {"name": "notes", "file": "notes.txt"}, {"model": "m", "name": "brief", "prompt": "Be brief.", "notes": "mine"}]})");
  const Config config = load();
  EXPECT_THAT(report.errors, IsEmpty());
  ASSERT_EQ(config.startup_caches.size(), 3u);
  const Config::StartupCache& coding = config.startup_caches[0];
  EXPECT_EQ(coding.model + " " + coding.name + " " + coding.content, "m coding You write code.");
  EXPECT_EQ(coding.format, "chat");
  EXPECT_TRUE(coding.required && coding.pinned == true);
  EXPECT_EQ(config.startup_caches[1].content, "From the working directory.");
  EXPECT_EQ(config.startup_caches[1].model, "");
  EXPECT_FALSE(config.startup_caches[2].required || config.startup_caches[2].pinned.has_value());
}

TEST_F(ConfigTest, ReadsStartupCachesOfMessagesAndOnesThatContinueOthers) {
  write("config/rockllama.json", R"({"startup_caches": [
    {"name": "shots", "messages": [{"role": "user", "content": "Grass?"}, {"role": "assistant", "content": "Green."}],
     "tools": [{"type": "function", "function": {"name": "clock"}}]},
    {"name": "child", "parent": "shots", "prompt": "Be brief."}]})");
  const Config config = load();
  ASSERT_THAT(report.errors, IsEmpty());
  const auto content = parse_content(config.startup_caches[0].content);
  ASSERT_TRUE(content);
  ASSERT_EQ(content->messages.size(), 2U);
  EXPECT_EQ(content->messages[1].content, "Green.");
  ASSERT_EQ(content->tools.size(), 1U);
  EXPECT_EQ(content->tools[0].name, "clock");
  EXPECT_EQ(config.startup_caches[1].parent, "shots");
}

TEST_F(ConfigTest, TakesStartupCachesOfTheDefaultModelInTheShortForm) {
  write("config/rockllama.json", R"({"startup_caches": {"coding": "You are...", "brief": "Be brief."}})");
  const Config config = load();
  EXPECT_THAT(report.errors, IsEmpty());
  ASSERT_EQ(config.startup_caches.size(), 2u);
  EXPECT_EQ(config.startup_caches[1].name + ": " + config.startup_caches[1].content, "coding: You are...");
}

TEST_F(ConfigTest, ReportsEveryFaultOfStartupCachesWithItsPath) {
  write("config/latin1.txt", "caf\xe9");
  write("config/empty.txt", " \n");
  write("config/rockllama.json", R"({"startup_caches": [7, {"name": "../x", "prompt": "a"},
    {"name": "a", "prompt": "a", "file": "b.txt"}, {"name": "b", "file": "missing.txt"},
    {"name": "c", "file": "latin1.txt"}, {"name": "d", "file": "empty.txt"}, {"name": "e"}, {"prompt": ""},
    {"name": "f", "prompt": "a", "promt": 1, "pinned": 1, "required": "yes", "format": "text", "model": 3},
    {"name": "f", "prompt": "again"}, {"name": "g", "messages": [{"content": "a"}]}, {"name": "h", "messages": []},
    {"name": "i", "prompt": "a", "tools": []}]})");
  (void)load();
  const std::string place = "config/rockllama.json: startup_caches";
  EXPECT_THAT(report.errors,
              ElementsAre(HasSubstr(place + "[0]: must be an object"), HasSubstr(place + "[1].name: a cache name is"),
                          HasSubstr(place + "[2].prompt: file or messages: exactly one"),
                          HasSubstr(place + "[3].file: there is no file 'missing.txt'"),
                          HasSubstr("[4].file: 'config/latin1.txt' is not UTF-8"), HasSubstr("[5].file: 'config/empty"),
                          HasSubstr("[6].prompt: file or messages: exactly one"), HasSubstr("[7].name: must be there"),
                          HasSubstr("[7].prompt: must not be empty"), HasSubstr("[8].promt: unknown key"),
                          HasSubstr("[8].model: must be a text"), HasSubstr("[8].pinned: must be true or false"),
                          HasSubstr("[8].required: must be true"), HasSubstr("[8].format: must be both"),
                          HasSubstr("[9].name: the cache is there twice"), HasSubstr("[10].messages"),
                          HasSubstr("[11].messages"), HasSubstr("[12].tools: stand beside messages only")));
}

TEST_F(ConfigTest, ReportsEveryFaultOfTheShortFormToo) {
  write("config/rockllama.json", R"({"startup_caches": {"a": 1, "b": "", "c d": "text"}, "server": {"port": -1}})");
  (void)load();
  EXPECT_THAT(report.errors,
              ElementsAre(HasSubstr("server.port"), HasSubstr("startup_caches.a: must be a text"),
                          HasSubstr("startup_caches.b: must be"), HasSubstr("startup_caches.c d: a cache name")));
  report = {};
  write("config/rockllama.json", R"({"startup_caches": "coding", "endpoints": []})");
  (void)load();
  EXPECT_THAT(report.errors,
              ElementsAre(HasSubstr("endpoints: must be an object"), HasSubstr("startup_caches: must be a list")));
}

TEST_F(ConfigTest, TakesTheEndpointMap) {
  write("config/rockllama.json", R"({"endpoints": {"notes": "mine", "/api/debug/analyze": "debug",
    "/api/code/complete": {"kind": "completion", "model": "m", "cache": "code"}}})");
  const Config config = load();
  EXPECT_THAT(report.errors, IsEmpty());
  ASSERT_EQ(config.endpoints.size(), 2u);
  const Config::Endpoint& complete = config.endpoints[0];
  EXPECT_EQ(complete.path + " " + complete.kind + " " + complete.model + " " + complete.cache,
            "/api/code/complete completion m code");
  const Config::Endpoint& debug = config.endpoints[1];
  EXPECT_EQ(debug.kind + " " + debug.model + " " + debug.cache, "chat  debug");
}

TEST_F(ConfigTest, RefusesPathsThatCannotBeServed) {
  for (const char* path :
       {"api", "", "/", "/v1", "/v1/x", "/a/{b}", "/a//b", "/a/", "/a/../b", "/a?b", "/a b", "/%61"}) {
    report = {};
    write("config/rockllama.json", json{{"endpoints", {{path, "c"}}}}.dump());
    (void)load();
    EXPECT_THAT(report.errors, ElementsAre(HasSubstr("endpoints." + std::string(path) + ": "))) << path;
  }
}

TEST_F(ConfigTest, ReportsEveryFaultOfAnEndpoint) {
  write("config/rockllama.json",
        R"({"endpoints": {"/a": 7, "/b": "", "/c": {"kind": "text", "model": 1, "cache": [], "caches": "x"}}})");
  (void)load();
  EXPECT_THAT(report.errors,
              ElementsAre(HasSubstr("endpoints./a: must be the name"), HasSubstr("endpoints./b: the name of a cache"),
                          HasSubstr("endpoints./c.caches: unknown key"), HasSubstr("endpoints./c.kind: must be chat"),
                          HasSubstr("endpoints./c.model: must be a text"), HasSubstr("endpoints./c.cache: must be")));
}

TEST_F(ConfigTest, StructuresInTheEnvironmentAreJson) {
  write("config/rockllama.json", R"({"startup_caches": {"a": "from the file"}})");
  const Config config = load({.environment = {{"ROCKLLAMA_STARTUP_CACHES", R"({"b": "from the environment"})"},
                                              {"ROCKLLAMA_ENDPOINTS", "/a=b"}}});
  ASSERT_EQ(config.startup_caches.size(), 1u);
  EXPECT_EQ(config.startup_caches[0].name, "b");
  EXPECT_THAT(report.errors, ElementsAre(HasSubstr("ROCKLLAMA_ENDPOINTS: is not JSON")));
}

TEST_F(ConfigTest, TakesApiKeysInBothForms) {
  write("config/rockllama.json", R"({"server": {"api_keys": [{"name": "ann", "key": "k1"}, "bob:k:2"]}})");
  EXPECT_THAT(load().server.api_keys, ElementsAre(Pair("ann", "k1"), Pair("bob", "k:2")));
  EXPECT_THAT(load({.environment = {{"ROCKLLAMA_SERVER_API_KEYS", "cid:k3,dan:k4"}}}).server.api_keys,
              ElementsAre(Pair("cid", "k3"), Pair("dan", "k4")));
  EXPECT_THAT(report.errors, IsEmpty());
}

TEST_F(ConfigTest, AddsTheLinesOfTheApiKeysFile) {
  write("keys", "# ours\nann:k1\r\n\nbob:k2\n");
  const Config config =
      load({.environment = {{"ROCKLLAMA_SERVER_API_KEYS", "cid:k3"}}, .flags = {{"server.api_keys_file", "keys"}}});
  EXPECT_THAT(config.server.api_keys, ElementsAre(Pair("ann", "k1"), Pair("bob", "k2"), Pair("cid", "k3")));
  EXPECT_THAT(report.errors, IsEmpty());
}

TEST_F(ConfigTest, RefusesOddApiKeysAndNeverShowsThem) {
  for (const char* list : {R"(["topsecret"])", R"([{"name": "ann"}])", R"(["ann:"])", R"([":topsecret"])", R"({})",
                           R"([7])", R"(["ann:top secret"])", R"(["ann:topsecret", "ann:other"])",
                           R"(["ann:topsecret", "bob:topsecret"])", R"([{"name": "a", "key": "topsecret", "x": 1}])"}) {
    report = {};
    write("config/rockllama.json", std::string(R"({"server": {"api_keys": )") + list + "}}");
    (void)load();
    ASSERT_EQ(report.errors.size(), 1u) << list;
    EXPECT_THAT(report.errors.front(), Not(HasSubstr("topsecret")));
  }
}

TEST_F(ConfigTest, RefusesAnApiKeysFileThatLetsEverybodyIn) {
  for (const char* text : {"", "# none yet\n"}) {
    report = {};
    write("keys", text);
    (void)load({.flags = {{"server.api_keys_file", "keys"}}});
    EXPECT_THAT(report.errors, ElementsAre(HasSubstr("holds no key")));
  }
  report = {};
  write("keys", "ann:k1\nann\n");
  (void)load({.flags = {{"server.api_keys_file", "keys"}}});
  EXPECT_THAT(report.errors, ElementsAre(HasSubstr("keys: line 2: ")));
}

json read_json(const std::string& path) {
  std::ifstream file(path);
  return json::parse(file);
}

void expect_schema_knows(const json& schema, const json& defaults) {
  for (const auto& [section, members] : defaults.items()) {
    for (const auto& [key, value] : members.items()) {
      const json::json_pointer place("/properties/" + section + "/properties/" + key + "/default");
      EXPECT_EQ(schema.value(place, json("missing")), value) << section << "." << key;
    }
  }
}

TEST(ShippedConfig, HasEveryKeyAtItsDefault) {
  const std::string folder = ROCKLLAMA_SOURCE_DIR "/config/";
  json server = read_json(folder + "rockllama.json");
  json inference = read_json(folder + "inference_config.json");
  server.erase("$schema");
  inference.erase("$schema");
  json defaults = to_json(Config{}, server_fields());
  for (const StructuredField& field : structured_fields()) defaults[field.path] = field.by_default;
  EXPECT_EQ(server, defaults);
  EXPECT_EQ(inference, to_json(Config{}, inference_fields()));
}

TEST(ShippedConfig, IsDescribedByItsSchemas) {
  const std::string folder = ROCKLLAMA_SOURCE_DIR "/config/";
  const json schema = read_json(folder + "rockllama.schema.json");
  expect_schema_knows(schema, to_json(Config{}, server_fields()));
  for (const StructuredField& field : structured_fields()) {
    EXPECT_EQ(schema.at("properties").at(field.path).at("default"), field.by_default) << field.path;
  }
  expect_schema_knows(read_json(folder + "inference_config.schema.json"), to_json(Config{}, inference_fields()));
}

}  // namespace
}  // namespace rockllama
