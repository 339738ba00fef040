#include "doctor/machine_reader.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "doctor/flash_probe.h"

namespace rockllama::doctor {
namespace {

using namespace std::string_literals;

// A folder that looks like the root of a board.
class MachineReader : public testing::Test {
 protected:
  MachineReader() { root_ = ::mkdtemp(name_.data()); }
  ~MachineReader() override { std::filesystem::remove_all(root_); }

  void put(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  [[nodiscard]] Machine read() const { return read_machine({.root = root_}); }

  std::string name_ = "/tmp/rockllama-machine-XXXXXX";
  std::string root_;
};

TEST_F(MachineReader, FindsNothingInAnEmptyRoot) {
  const Machine machine = read();
  EXPECT_EQ(machine.soc, "");
  EXPECT_FALSE(machine.npu.present);
  EXPECT_TRUE(machine.clocks.empty());
  EXPECT_EQ(machine.memory_bytes, 0u);
  EXPECT_FALSE(machine.runtime);
}

TEST_F(MachineReader, TakesTheChipFromTheDeviceTree) {
  put("/proc/device-tree/compatible", "radxa,rock-5b\0rockchip,rk3588\0"s);
  put("/proc/device-tree/model", "Radxa ROCK 5B\0"s);
  EXPECT_EQ(read().soc, "rk3588");
  EXPECT_EQ(read().board, "Radxa ROCK 5B");
}

TEST_F(MachineReader, TakesTheDriverVersionFromAnyOfItsPlaces) {
  for (const char* place : {"/sys/module/rknpu/version", "/proc/rknpu/version", "/sys/kernel/debug/rknpu/version"}) {
    put(place, "RKNPU driver: v0.9.8\n");
    EXPECT_EQ(read().npu.version, "0.9.8") << place;
    std::filesystem::remove(root_ + place);
  }
}

TEST_F(MachineReader, KnowsADriverWhoseVersionMayNotBeRead) {
  put("/sys/module/rknpu/refcnt", "0\n");
  EXPECT_TRUE(read().npu.present);
  EXPECT_TRUE(read().npu.forbidden);
  EXPECT_EQ(read().npu.version, "");
}

TEST_F(MachineReader, ReadsTheClocksOfCpuNpuAndDdrAndNoOthers) {
  const std::string policy = "/sys/devices/system/cpu/cpufreq/policy4/";
  put(policy + "scaling_governor", "ondemand\n");
  put(policy + "scaling_cur_freq", "408000\n");
  put(policy + "cpuinfo_max_freq", "2400000\n");
  put("/sys/class/devfreq/fdab0000.npu/governor", "rknpu_ondemand\n");
  put("/sys/class/devfreq/fdab0000.npu/cur_freq", "300000000\n");
  put("/sys/class/devfreq/fdab0000.npu/max_freq", "500000000\n");
  put("/sys/class/devfreq/fdab0000.npu/available_frequencies", "300000000 1000000000 500000000\n");
  put("/sys/class/devfreq/dmc/governor", "dmc_ondemand\n");
  put("/sys/class/devfreq/dmc/max_freq", "2112000000\n");
  put("/sys/class/devfreq/fb000000.gpu/governor", "simple_ondemand\n");
  const auto clocks = read().clocks;
  ASSERT_EQ(clocks.size(), 3u);
  EXPECT_EQ(clocks[0].governor, "ondemand");
  EXPECT_EQ(clocks[0].now_hz, 408'000'000u);
  EXPECT_EQ(clocks[0].most_hz, 2'400'000'000u);
  EXPECT_EQ(clocks[1].kind, ClockKind::kDdr);
  EXPECT_EQ(clocks[1].most_hz, 2'112'000'000u);
  EXPECT_EQ(clocks[2].kind, ClockKind::kNpu);
  EXPECT_EQ(clocks[2].most_hz, 1'000'000'000u);
}

TEST_F(MachineReader, ReadsMemorySwapAndTheDescriptorLimit) {
  put("/proc/meminfo", "MemTotal:  8000 kB\nMemAvailable:  3000 kB\nSwapTotal: 100 kB\nSwapFree: 40 kB\n");
  put("/proc/self/limits",
      "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288   files\n");
  const Machine machine = read();
  EXPECT_EQ(machine.memory_bytes, 8000u << 10);
  EXPECT_EQ(machine.available_bytes, 3000u << 10);
  EXPECT_EQ(machine.swap_bytes, 100u << 10);
  EXPECT_EQ(machine.swap_free_bytes, 40u << 10);
  EXPECT_EQ(machine.descriptors, 1024u);
  EXPECT_EQ(machine.descriptors_most, 524288u);
}

TEST_F(MachineReader, FindsTheRuntimeThatAWorkerWouldOpen) {
  const auto find = [this](const std::string& setting, std::map<std::string, std::string> environment) {
    return read_machine({.root = root_, .runtime_setting = setting, .environment = std::move(environment)}).runtime;
  };
  put("/usr/lib/librkllmrt.so", "..RKLLM SDK (version: 1.2.1 (abc))..");
  EXPECT_EQ(find("", {})->version, "1.2.1");
  put("/opt/cached/librkllmrt.so", "..RKLLM SDK (version: 1.2.2)..");
  put("/etc/ld.so.cache", "x\0librkllmrt.so\0/opt/cached/librkllmrt.so\0y"s);
  EXPECT_EQ(find("", {})->path, "/opt/cached/librkllmrt.so");
  put("/opt/path/librkllmrt.so", "..RKLLM SDK (version: 1.2.3)..");
  EXPECT_EQ(find("", {{"LD_LIBRARY_PATH", "/nowhere:/opt/path"}})->version, "1.2.3");
  put("/opt/named/librkllmrt.so", "..RKLLM SDK (version: 1.3.0)..");
  EXPECT_EQ(find("", {{"RKLLM_LIB_PATH", "/opt/named"}, {"LD_LIBRARY_PATH", "/opt/path"}})->version, "1.3.0");
  const auto missing = find("/opt/missing.so", {{"RKLLM_LIB_PATH", "/opt/named"}});
  ASSERT_TRUE(missing);
  EXPECT_FALSE(missing->exists);
  EXPECT_EQ(missing->path, "/opt/missing.so");
}

TEST_F(MachineReader, MeasuresTheFlashAndLeavesNothingBehind) {
  const auto speed = measure_flash(root_);
  ASSERT_TRUE(speed) << speed.error().message;
  EXPECT_GT(speed->write_bytes_per_s, 0);
  EXPECT_GT(speed->read_bytes_per_s, 0);
  EXPECT_TRUE(std::filesystem::is_empty(root_));
  EXPECT_EQ(measure_flash(root_ + "/nowhere").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace rockllama::doctor
