// Measures the cache store over folders of 10, 1,000 and 10,000 caches: opening, memory, look-up, restore, creation,
// eviction. Prints first how each figure stands to what it may be, then the figures. bench/store runs it.
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/posix_file_system.h"
#include "cache/cache_metadata.h"
#include "cache/cache_names.h"
#include "cache/cache_store.h"

namespace rockllama {
namespace {

constexpr const char* kModel = "model";
constexpr const char* kPrint = "9b1e6c0f3a7d52e4c8b0a1f2d3e4f506";
constexpr size_t kTextBytes = 2000;
constexpr size_t kStateBytes = 64 << 10;
constexpr int kRounds = 200;

struct Figures {
  size_t caches = 0;
  double open_ms = 0;
  double first_scan_ms = 0;
  double list_ms = 0;
  double lookup_ms = 0;
  double restore_ms = 0;
  double create_ms = 0;
  double evict_ms = 0;
  double bytes_per_entry = 0;
};

std::string text_of(size_t i) {
  std::string text = "You are helper number " + std::to_string(i) + ". ";
  while (text.size() < kTextBytes) text += "Answer in plain short sentences. ";
  return text;
}

void write(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

// What a commit leaves, without its syncs: ten thousand of these would be most of the measurement.
void write_cache(const std::string& folder, size_t i, const std::string& state, FileSystem* files) {
  const std::string name = "cache-" + std::to_string(i);
  const std::string text = text_of(i);
  write(folder + "/" + text_file_name(name), text);
  const std::string state_file = state_file_name(name, StateFormat::kChat, "llama.cpp");
  write(folder + "/" + state_file, state);
  CacheMetadata metadata{.cache_name = name, .model_name = kModel, .created_at = 1.8e9, .source = "api"};
  metadata.generation = 1;
  metadata.content_length = text.size();
  metadata.text_hash = hash_bytes(text);
  metadata.content = text;
  metadata.text_file = files->stat(folder + "/" + text_file_name(name)).value();
  metadata.states.push_back({.engine = "llama.cpp",
                             .file = state_file,
                             .size = state.size(),
                             .checksum = hash_bytes(state),
                             .generation = 1,
                             .tokens = 400,
                             .token_hash = {i, i},
                             .cuts = {256, 400},
                             .fingerprint = kPrint});
  write(folder + "/" + metadata_file_name(name), serialise_metadata({.current = metadata}));
}

template <class Work>
double average_ms(int rounds, Work work) {
  const double began = steady_ms();
  for (int round = 0; round < rounds; ++round) work(round);
  return (steady_ms() - began) / rounds;
}

std::vector<NewState> payload(CacheStore* store, const std::string& name, const std::string& bytes) {
  std::vector<NewState> states;
  auto pending = store->begin_state(kModel, name, StateFormat::kChat);
  if (!pending) return states;
  const UniqueFd fd = pending->take_fd();
  if (::pwrite(fd.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return states;
  states.push_back(
      {std::move(*pending), StateFormat::kChat, "llama.cpp", kPrint, {.tokens = 400, .bytes = bytes.size()}});
  return states;
}

void create(CacheStore* store, int round, const std::string& state) {
  const std::string name = "new-" + std::to_string(round);
  const Status status = store->commit(kModel, name, text_of(0), payload(store, name, state), {});
  if (!status) std::fprintf(stderr, "creation failed: %s\n", status.error().message.c_str());
}

std::string some_cache(int round, size_t caches) {
  return "cache-" + std::to_string(static_cast<size_t>(round) * 7919 % caches);
}

Figures measure(const std::string& root, size_t caches) {
  const auto files = make_posix_file_system();
  const std::string state(kStateBytes, 's');
  std::filesystem::create_directories(root + "/" + kModel);
  for (size_t i = 0; i < caches; ++i) write_cache(root + "/" + kModel, i, state, files.get());
  Figures figures{.caches = caches};
  ::malloc_trim(0);
  const auto heap = [] { return static_cast<double>(::mallinfo2().uordblks + ::mallinfo2().hblkhd); };
  const double heap_before = heap();
  {
    double began = steady_ms();
    const auto store = CacheStore::open(files.get(), root).value();
    figures.open_ms = steady_ms() - began;
    began = steady_ms();
    const size_t known = store->known_states(kModel, kPrint).size();
    figures.first_scan_ms = steady_ms() - began;
    if (known != caches) std::fprintf(stderr, "%zu of %zu states are known\n", known, caches);
    figures.bytes_per_entry = (heap() - heap_before) / static_cast<double>(caches);
    figures.list_ms = average_ms(3, [&](int) { (void)store->list(kModel, kPrint); });
    figures.lookup_ms = average_ms(kRounds, [&](int round) {
      (void)store->reference(kModel, some_cache(round, caches), StateFormat::kChat, kPrint);
    });
    for (int pass = 0; pass < 2; ++pass) {  // the first verifies checksums
      figures.restore_ms = average_ms(kRounds, [&](int round) {
        const std::string name = some_cache(round, caches);
        const auto reference = store->reference(kModel, name, StateFormat::kChat, kPrint);
        (void)store->open_state(kModel, name, StateFormat::kChat, *reference->state);
      });
    }
    figures.create_ms = average_ms(20, [&](int round) { create(store.get(), round, state); });
  }
  // No room: each creation costs another one its state.
  const uint64_t taken = CacheStore::open(files.get(), root).value()->use().total_bytes;
  const auto store = CacheStore::open(files.get(), root, {.max_total_bytes = taken}).value();
  (void)store->use();
  figures.evict_ms = average_ms(20, [&](int round) { create(store.get(), 100 + round, state); });
  return figures;
}

void print(const std::vector<Figures>& all) {
  const Figures& most = all.back();
  std::printf("what it may be, over what it is, at %zu caches (more is better, 1 is the limit)\n", most.caches);
  std::printf("  opening            %8.1f   limit 1000 ms\n", 1000 / most.open_ms);
  std::printf("  look-up            %8.1f   limit 0.1 ms\n", 0.1 / most.lookup_ms);
  std::printf("  memory per cache   %8.1f   limit 4096 bytes\n\n", 4096 / most.bytes_per_entry);
  std::printf("%8s %10s %12s %10s %10s %11s %10s %10s %10s\n", "caches", "open ms", "all known ms", "list ms",
              "look-up ms", "restore ms", "create ms", "evict ms", "bytes each");
  for (const Figures& row : all) {
    std::printf("%8zu %10.1f %12.1f %10.1f %10.4f %11.4f %10.2f %10.2f %10.0f\n", row.caches, row.open_ms,
                row.first_scan_ms, row.list_ms, row.lookup_ms, row.restore_ms, row.create_ms, row.evict_ms,
                row.bytes_per_entry);
  }
}

}  // namespace
}  // namespace rockllama

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::warn);
  const std::string root = (argc > 1 ? argv[1] : "/tmp") + std::string("/store-bench-") + std::to_string(::getpid());
  std::vector<rockllama::Figures> all;
  for (const size_t caches : {10, 1000, 10000}) {
    all.push_back(rockllama::measure(root + "/" + std::to_string(caches), caches));
  }
  std::filesystem::remove_all(root);
  rockllama::print(all);
  return 0;
}
