// Calls one library of rkllm_sim by the offsets that abi.json has at run time: what the library was compiled with came
// another way. Owned by a test, on its thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace rockllama {

// A struct of the ABI as bytes, zero at first.
class AbiStruct {
 public:
  AbiStruct(const nlohmann::json& version, const std::string& name);
  // Over memory of someone else.
  AbiStruct(const nlohmann::json& version, const std::string& name, void* memory);

  [[nodiscard]] bool has(const std::string& field) const { return facts_of(field) != nullptr; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] void* data() { return memory_ ? memory_ : own_.data(); }

  // Does nothing where this version has no such field.
  template <typename T>
  void set(const std::string& field, T value) {
    if (const nlohmann::json* facts = facts_of(field)) std::memcpy(at(*facts), &value, sizeof value);
  }
  template <typename T>
  [[nodiscard]] T get(const std::string& field) {
    T value{};
    if (const nlohmann::json* facts = facts_of(field)) std::memcpy(&value, at(*facts), sizeof value);
    return value;
  }

 private:
  [[nodiscard]] const nlohmann::json* facts_of(const std::string& field) const;
  char* at(const nlohmann::json& facts) { return static_cast<char*>(data()) + facts["offset"].get<size_t>(); }

  const nlohmann::json* fields_;
  size_t size_;
  std::vector<char> own_;
  void* memory_ = nullptr;
};

struct SimRun {
  int result = 0;
  std::string text;              // of all callbacks
  std::vector<uint32_t> states;  // of each callback
  std::vector<int32_t> tokens;   // of those with RUN_NORMAL
  int32_t prefill_tokens = 0;    // from perf, where the version has it
  int32_t hidden_rows = 0;
  std::vector<float> hidden;  // all rows
};

struct SimOptions {
  int32_t max_new_tokens = 6;
  int32_t context = 256;
  int32_t n_batch = 1;
  bool tags = true;
};

struct SimInput {
  std::string text{};
  std::vector<int32_t> tokens{};  // instead of the text, if there are any
  std::string save{};             // path of the prompt cache
  bool keep_history = false;
  uint32_t mode = 0;
  int32_t max_new_tokens = 0;  // of this run, where the version has it
  bool greedy = false;         // sampling of this run, where the version has it
};

class RkllmSimLibrary {
 public:
  explicit RkllmSimLibrary(std::string version);
  ~RkllmSimLibrary();
  RkllmSimLibrary(const RkllmSimLibrary&) = delete;
  RkllmSimLibrary& operator=(const RkllmSimLibrary&) = delete;

  static std::string file(const std::string& version);

  [[nodiscard]] const nlohmann::json& facts() const { return facts_; }
  [[nodiscard]] AbiStruct make(const std::string& name) const { return {facts_, name}; }
  [[nodiscard]] void* symbol(const std::string& name) const;

  template <typename... Arguments>
  int call(const std::string& name, Arguments... arguments) const {
    return reinterpret_cast<int (*)(Arguments...)>(symbol(name))(arguments...);
  }

  // What rkllm_init returns, with the test's model, greedy.
  int init(const SimOptions& options = {});
  [[nodiscard]] void* handle() const { return handle_; }
  SimRun run(const SimInput& input);
  // What the callbacks return, and what they do before; 0 and nothing at first.
  std::function<int()> on_callback = [] { return 0; };

 private:
  static int callback(void* result, void* userdata, uint32_t state);

  nlohmann::json facts_;
  void* library_;
  void* handle_ = nullptr;
  SimRun* run_ = nullptr;
};

}  // namespace rockllama
