#include "engines/scripted/state_payload.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace rockllama {
namespace {

constexpr std::array<char, 8> kMark = {'s', 'c', 'r', 'i', 'p', 't', '0', '1'};

}  // namespace

Result<uint64_t> write_state_payload(int file, std::span<const int32_t> tokens) {
  std::vector<char> bytes(kMark.begin(), kMark.end());
  bytes.resize(kMark.size() + tokens.size_bytes());
  std::memcpy(bytes.data() + kMark.size(), tokens.data(), tokens.size_bytes());
  if (::pwrite(file, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail(errno == ENOSPC ? ErrorCode::kNoSpace : ErrorCode::kIo, "Writing the state failed.");
  }
  return bytes.size();
}

std::optional<std::vector<int32_t>> read_state_payload(int file) {
  struct stat info {};
  if (::fstat(file, &info) != 0 || info.st_size < static_cast<off_t>(kMark.size())) return std::nullopt;
  std::vector<char> bytes(static_cast<size_t>(info.st_size));
  if (::pread(file, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return std::nullopt;
  if (std::memcmp(bytes.data(), kMark.data(), kMark.size()) != 0) return std::nullopt;
  std::vector<int32_t> tokens((bytes.size() - kMark.size()) / sizeof(int32_t));
  std::memcpy(tokens.data(), bytes.data() + kMark.size(), tokens.size() * sizeof(int32_t));
  return tokens;
}

}  // namespace rockllama
