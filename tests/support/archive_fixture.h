// An archive to test with, and its bytes.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "cache/archive.h"

namespace rockllama::test {

struct SampleArchive {
  CacheArchive archive;
  std::vector<std::string> payloads;  // of the states
};

inline StateRecord sample_state(StateFormat format, const std::string& payload) {
  return {.engine = "llama.cpp",
          .format = format,
          .file = "coding.llama_cache",
          .size = payload.size(),
          .checksum = hash_bytes(payload),
          .generation = 3,
          .tokens = 316,
          .token_hash = {7, 8},
          .cuts = {60, 316},
          .fingerprint = "fingerprint",
          .created_at = 1795258495.25,
          .modified_at = 1795258495.5,
          .note = "the template folds the text",
          .prefill_ms = 41.5,
          .first_token_ms = 52.25};
}

// Two ancestors, and a state of each format.
inline SampleArchive sample_archive() {
  std::vector<std::string> payloads{std::string(700, 'c'), "raw payload"};
  CacheMetadata cache{.cache_name = "coding",
                      .model_name = "demo",
                      .created_at = 1795258495.25,
                      .modified_at = 1795258495.5,
                      .source = "api",
                      .parent = "house",
                      .pinned = true,
                      .content = "You are a careful programmer.\n"};
  cache.states = {sample_state(StateFormat::kChat, payloads[0]), sample_state(StateFormat::kRaw, payloads[1])};
  return {{cache, {{"house", "The rules of the house."}, {"street", ""}}, 1795258500.0}, payloads};
}

inline UniqueFd file_of(const std::string& bytes) {
  UniqueFd fd(::memfd_create("payload", MFD_CLOEXEC));
  if (::pwrite(fd.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) fd.reset();
  return fd;
}

inline Result<ArchiveStream> stream_of(const SampleArchive& sample) {
  std::vector<UniqueFd> files;
  for (const std::string& payload : sample.payloads) files.push_back(file_of(payload));
  return ArchiveStream::make(sample.archive, std::move(files));
}

// All that a stream gives, in pieces of at most `limit`. Ends early where it fails.
inline std::string bytes_of(ArchiveStream stream, size_t limit = 1 << 20) {
  std::string bytes;
  for (auto piece = stream.next(limit); piece && !piece->empty(); piece = stream.next(limit)) bytes += *piece;
  return bytes;
}

inline std::string archive_bytes(const SampleArchive& sample, size_t limit = 1 << 20) {
  return bytes_of(stream_of(sample).value(), limit);
}

// `bytes` outlives the source.
inline ByteSource source_of(const std::string& bytes) {
  return {bytes.size(), [&bytes](uint64_t offset, std::span<char> room) -> Result<size_t> {
            if (offset >= bytes.size()) return size_t{0};
            const size_t count = std::min<uint64_t>(room.size(), bytes.size() - offset);
            std::memcpy(room.data(), bytes.data() + offset, count);
            return count;
          }};
}

}  // namespace rockllama::test
