#include "config/config.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/config_fields.h"

namespace rockllama {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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
  EXPECT_EQ(server, to_json(Config{}, server_fields()));
  EXPECT_EQ(inference, to_json(Config{}, inference_fields()));
}

TEST(ShippedConfig, IsDescribedByItsSchemas) {
  const std::string folder = ROCKLLAMA_SOURCE_DIR "/config/";
  expect_schema_knows(read_json(folder + "rockllama.schema.json"), to_json(Config{}, server_fields()));
  expect_schema_knows(read_json(folder + "inference_config.schema.json"), to_json(Config{}, inference_fields()));
}

}  // namespace
}  // namespace rockllama
