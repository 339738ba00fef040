#include "engines/rkllm/library.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "tests/support/rkllm_sim_files.h"

namespace rockllama::rkllm {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// A copy of a simulated library that says another version of the same length, wherever it says one.
class LyingLibrary {
 public:
  LyingLibrary(const std::string& version, const std::string& said)
      : path_(testing::TempDir() + "lying_" + version + "_" + said + ".so") {
    std::stringstream honest;
    honest << std::ifstream(sim_library(version), std::ios::binary).rdbuf();
    std::string bytes = honest.str();
    for (size_t at = bytes.find(version); at != std::string::npos; at = bytes.find(version, at)) {
      bytes.replace(at, version.size(), said);
    }
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~LyingLibrary() { std::filesystem::remove(path_); }
  LyingLibrary(const LyingLibrary&) = delete;
  LyingLibrary& operator=(const LyingLibrary&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(RkllmLibrary, KnowsEverySimulatedVersion) {
  for (const char* version : kSimVersions) {
    const auto library = Library::open({.path = sim_library(version)});
    ASSERT_TRUE(library) << version << ": " << library.error().message;
    const LibraryInfo& info = (*library)->info();
    EXPECT_EQ(info.version, version);
    EXPECT_EQ(info.group, group_of(version));
    EXPECT_EQ(info.path, sim_library(version));
    EXPECT_EQ(info.found_by, "configuration");
    EXPECT_THAT(info.warnings, IsEmpty()) << version << ": " << info.warnings.front();
  }
}

TEST(RkllmLibrary, IsFoundByTheVariableWhereNoneIsConfigured) {
  const std::string file = sim_library("1.3.0");
  for (const std::string& value : {file, file.substr(0, file.rfind('/'))}) {
    ::setenv("RKLLM_LIB_PATH", value.c_str(), 1);
    const auto library = Library::open({});
    ASSERT_TRUE(library) << library.error().message;
    EXPECT_EQ((*library)->info().found_by, "RKLLM_LIB_PATH");
    EXPECT_EQ((*library)->info().version, "1.3.0");
  }
  const auto configured = Library::open({.path = sim_library("1.2.0")});
  ::unsetenv("RKLLM_LIB_PATH");
  ASSERT_TRUE(configured);
  EXPECT_EQ((*configured)->info().version, "1.2.0");
}

TEST(RkllmLibrary, SaysWhoNamedAFileThatIsNotThere) {
  const auto library = Library::open({.path = "/nowhere/librkllmrt.so"});
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(library.error().message, HasSubstr("configuration"));
}

TEST(RkllmLibrary, IsRefusedWhereItIsAnotherLibrary) {
  const auto library = Library::open({.path = "libdl.so.2"});
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(library.error().message, AllOf(HasSubstr("no version"), HasSubstr("rkllm.version")));
}

TEST(RkllmLibrary, IsRefusedWhereItLiesAboutItsVersion) {
  const std::pair<const char*, const char*> lies[] = {
      {"1.1.4", "1.2.0"}, {"1.2.0", "1.1.4"}, {"1.2.1", "1.3.0"}, {"1.3.0", "1.2.3"}};
  for (const auto& [version, said] : lies) {
    const LyingLibrary lying(version, said);
    const auto library = Library::open({.path = lying.path()});
    ASSERT_FALSE(library) << version << " taken for " << said;
    EXPECT_EQ(library.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(library.error().message, AllOf(HasSubstr(said), HasSubstr("rkllm.version")));
  }
}

TEST(RkllmLibrary, IsTakenForTheForcedVersionWithAWarning) {
  const LyingLibrary lying("1.3.0", "1.2.3");
  const auto library = Library::open({.path = lying.path(), .forced_version = "1.3.0"});
  ASSERT_TRUE(library) << library.error().message;
  EXPECT_EQ((*library)->info().group, AbiGroup::k1_3_0);
  EXPECT_THAT((*library)->info().warnings, SizeIs(1));
}

}  // namespace
}  // namespace rockllama::rkllm
