#include "doctor/findings.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rockllama::doctor {
namespace {

Machine board() {
  return {.board = "Radxa ROCK 5B",
          .soc = "rk3588",
          .npu = {.present = true, .version = "0.9.8"},
          .clocks = {{ClockKind::kCpu, "policy0", "performance", 1'800'000'000, 1'800'000'000},
                     {ClockKind::kNpu, "fdab0000.npu", "performance", 1'000'000'000, 1'000'000'000},
                     {ClockKind::kDdr, "dmc", "performance", 2'112'000'000, 2'112'000'000}},
          .memory_bytes = 8ull << 30,
          .available_bytes = 6ull << 30,
          .descriptors = 1024,
          .descriptors_most = 1 << 20,
          .runtime = RuntimeFile{"/usr/lib/librkllmrt.so", "the loader's folders", true, "1.2.1"}};
}

Finding finding(const Machine& machine, const std::string& subject) {
  const auto all = machine_findings(machine);
  const auto found = std::find_if(all.begin(), all.end(), [&](const Finding& one) { return one.subject == subject; });
  return found == all.end() ? Finding{} : *found;
}

TEST(MachineFindings, PraiseABoardThatIsFine) {
  for (const Finding& one : machine_findings(board())) {
    EXPECT_EQ(one.level, Level::kGood) << one.subject << ": " << one.what;
    EXPECT_EQ(one.advice, "") << one.subject;
  }
}

TEST(MachineFindings, NoteWhatAPcDoesNotHave) {
  for (const Finding& one : machine_findings({})) EXPECT_LE(one.level, Level::kNote) << one.subject << ": " << one.what;
}

TEST(MachineFindings, GiveAdviceForEverythingThatIsWrong) {
  Machine machine = board();
  machine.npu = {};
  machine.runtime.reset();
  for (Clock& clock : machine.clocks) {
    clock.governor = "ondemand";
    clock.now_hz = 408'000'000;
  }
  machine.available_bytes = 100 << 20;
  machine.swap_bytes = 1 << 30;
  machine.descriptors_most = 1024;
  for (const Finding& one : machine_findings(machine)) {
    if (one.subject == "soc") continue;
    EXPECT_GE(one.level, Level::kWarning) << one.subject;
    EXPECT_NE(one.advice, "") << one.subject;
  }
  EXPECT_NE(finding(machine, "npu clock").advice.find("script/rk3588-clocks"), std::string::npos);
}

TEST(MachineFindings, WantDriver098) {
  Machine machine = board();
  for (const char* old : {"0.9.7", "0.8.12", "0.9"}) {
    machine.npu.version = old;
    EXPECT_EQ(finding(machine, "npu driver").level, Level::kProblem) << old;
  }
  for (const char* fine : {"0.9.8", "0.9.10", "1.0"}) {
    machine.npu.version = fine;
    EXPECT_EQ(finding(machine, "npu driver").level, Level::kGood) << fine;
  }
  machine.npu = {.present = true, .forbidden = true};
  EXPECT_NE(finding(machine, "npu driver").advice.find("sudo"), std::string::npos);
}

TEST(MachineFindings, KnowTheReleasedRuntimes) {
  Machine machine = board();
  for (const char* version : {"1.1.4", "1.2.0", "1.2.1b1", "1.2.3", "1.3.0"}) {
    machine.runtime->version = version;
    EXPECT_EQ(finding(machine, "rkllm runtime").level, Level::kGood) << version;
  }
  for (const char* version : {"", "1.0.1", "1.4.0"}) {
    machine.runtime->version = version;
    EXPECT_EQ(finding(machine, "rkllm runtime").level, Level::kProblem) << version;
  }
  machine.runtime->exists = false;
  EXPECT_NE(finding(machine, "rkllm runtime").what.find("cannot be read"), std::string::npos);
}

TEST(MachineFindings, LetASlowGovernorPassAtFullClock) {
  Machine machine = board();
  machine.clocks[2].governor = "dmc_ondemand";
  EXPECT_EQ(finding(machine, "ddr clock").level, Level::kGood);
}

TEST(FlashFinding, SaysWhyNothingWasMeasured) {
  EXPECT_EQ(flash_finding("cache", fail(ErrorCode::kNotFound, "there is no such folder")).level, Level::kNote);
  EXPECT_EQ(flash_finding("cache", fail(ErrorCode::kNoSpace, "too little is free there")).level, Level::kWarning);
  EXPECT_EQ(flash_finding("cache", FlashSpeed{100e6, 1e9}).level, Level::kGood);
  EXPECT_EQ(flash_finding("cache", FlashSpeed{5e6, 20e6}).level, Level::kWarning);
}

}  // namespace
}  // namespace rockllama::doctor
