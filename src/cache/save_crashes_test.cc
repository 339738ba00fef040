#include "cache/save_crashes.h"

#include <gtest/gtest.h>

#include "tests/support/memory_file_system.h"

namespace rockllama {
namespace {

TEST(SaveCrashes, AreRememberedAfterARestartAndForgottenForGood) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.make_folders("/c"));
  {
    SaveCrashes crashes(&files, "/c/.save-crashes.json");
    EXPECT_FALSE(crashes.reason("f1"));
    EXPECT_TRUE(crashes.note_crash("f1", "signal 11", true));
    EXPECT_TRUE(crashes.note_crash("f2", "it hung", true));
  }
  {
    SaveCrashes crashes(&files, "/c/.save-crashes.json");
    EXPECT_EQ(crashes.reason("f1"), "signal 11");
    EXPECT_FALSE(crashes.reason("f3"));
    crashes.note_saved("f1");
  }
  const SaveCrashes crashes(&files, "/c/.save-crashes.json");
  EXPECT_FALSE(crashes.reason("f1"));
  EXPECT_EQ(crashes.reason("f2"), "it hung");
}

TEST(SaveCrashes, CountWhenTheyAreNotCertain) {
  MemoryFileSystem files;
  SaveCrashes crashes(&files, "/.save-crashes.json");
  EXPECT_FALSE(crashes.note_crash("f1", "first", false));
  EXPECT_FALSE(crashes.reason("f1"));
  crashes.note_saved("f1");
  EXPECT_FALSE(crashes.note_crash("f1", "second", false));
  EXPECT_TRUE(crashes.note_crash("f1", "third", false));
  EXPECT_EQ(crashes.reason("f1"), "third");
}

TEST(SaveCrashes, RememberNothingWhereTheFileIsDamaged) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.make_folders("/c"));
  for (const char* damaged : {"", "[]", "{\"f1\":", "{\"f1\":5}", "null"}) {
    ASSERT_TRUE(files.write_synced("/c/.save-crashes.json", damaged));
    EXPECT_FALSE(SaveCrashes(&files, "/c/.save-crashes.json").reason("f1")) << damaged;
  }
}

}  // namespace
}  // namespace rockllama
