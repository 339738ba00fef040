// For the tests of the store: a store over a file system in memory, and caches to put into it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cache/cache_store.h"
#include "tests/support/memory_file_system.h"

namespace rockllama {

inline constexpr const char* kModel = "demo";
inline constexpr const char* kPrint = "fingerprint";

// Writes `bytes` as a worker would. Empty where the disk does not take it.
inline std::vector<NewState> new_states(CacheStore* store, const std::string& name, const std::string& bytes,
                                        StateFormat format = StateFormat::kChat) {
  std::vector<NewState> states;
  auto payload = store->begin_state(kModel, name, format);
  if (!payload) return states;
  const UniqueFd fd = payload->take_fd();
  if (::pwrite(fd.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return states;
  SavedState saved{.tokens = 316, .token_hash = {7, 8}, .bytes = bytes.size(), .cuts = {60, 316}, .prefill_ms = 5};
  states.push_back({std::move(*payload), format, "llama.cpp", kPrint, std::move(saved)});
  return states;
}

// An automatic state with `bytes`; its payload is written as a worker would.
inline Result<StateKey> commit_automatic(CacheStore* store, const std::string& bytes, double value = 1,
                                         const std::string& fingerprint = kPrint) {
  auto payload = store->begin_automatic(kModel, bytes.size());
  if (!payload) return fail(payload.error());
  const UniqueFd fd = payload->take_fd();
  if (::pwrite(fd.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail(ErrorCode::kIo, "the payload could not be written");
  }
  KnownState known{.key = {"", 400, {1, bytes.size()}}, .cuts = {100, 400}, .points = {{250, {2, 3}}}, .salt = {4, 5}};
  return store->commit_automatic(
      kModel, std::move(*payload),
      {.known = std::move(known), .bytes = bytes.size(), .value = value, .fingerprint = fingerprint});
}

inline std::string contents(const UniqueFd& fd, uint64_t size) {
  std::string bytes(size, '\0');
  const ssize_t got = ::pread(fd.get(), bytes.data(), size, 0);
  bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return bytes;
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() { open(); }

  void open(const StoreLimits& limits = {}) {
    store_.reset();
    auto opened = CacheStore::open(&files_, "/cache", limits, [this] { return now_; });
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }
  // Continues `parent`, with a state that was built over all of its line.
  void create_over(const std::string& parent, const std::string& name, const std::string& text,
                   const std::string& state) {
    const Status status = store_->commit(kModel, name, text, new_states(store_.get(), name, state), {.parent = parent});
    ASSERT_TRUE(status) << status.error().message;
  }
  [[nodiscard]] std::string reason(const std::string& name) { return reference(name).reason; }
  [[nodiscard]] std::vector<std::string> known() {
    std::vector<std::string> ids;
    for (const KnownState& state : store_->known_states(kModel, kPrint)) ids.push_back(state.key.id);
    return ids;
  }
  void create(const std::string& name, const std::string& text, const std::string& state) {
    const Status status = store_->commit(kModel, name, text, new_states(store_.get(), name, state), {.source = "api"});
    ASSERT_TRUE(status) << status.error().message;
  }
  [[nodiscard]] CacheReference reference(const std::string& name, StateFormat format = StateFormat::kChat) {
    return store_->reference(kModel, name, format, kPrint).value();
  }
  [[nodiscard]] Result<OpenState> open_state(const std::string& name) {
    return store_->open_state(kModel, name, StateFormat::kChat, reference(name).state.value());
  }
  [[nodiscard]] CacheInfo info(const std::string& name) { return store_->find(kModel, name, kPrint).value(); }
  [[nodiscard]] static std::string path(const std::string& file) { return std::string("/cache/demo/") + file; }
  [[nodiscard]] std::string read(const std::string& file) { return files_.read(path(file), 1 << 30).value(); }
  [[nodiscard]] std::vector<std::string> names() { return files_.names("/cache/demo"); }

  MemoryFileSystem files_;
  double now_ = 1.8e9;  // Unix seconds, as the store sees them
  std::unique_ptr<CacheStore> store_;
};

}  // namespace rockllama
