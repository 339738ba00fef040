#include "doctor/flash_probe.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include "base/clock.h"
#include "base/unique_fd.h"

namespace rockllama::doctor {
namespace {

constexpr size_t kProbePieceBytes = 4 << 20;
constexpr size_t kPieces = 8;
constexpr double kLongestMs = 1000;

// Neither zeros nor a pattern: some devices and file systems store those in no time.
std::vector<char> noise() {
  std::vector<char> bytes(kProbePieceBytes);
  uint64_t state = 0x9e3779b97f4a7c15;
  for (char& byte : bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<char>(state);
  }
  return bytes;
}

tl::unexpected<Error> refused(const char* what) {
  return fail(errno == ENOSPC ? ErrorCode::kNoSpace : ErrorCode::kIo, std::string("cannot ") + what + " there");
}

// A file without a name; where the file system knows none, one whose name is gone at once.
UniqueFd nameless_file(const std::string& folder) {
  UniqueFd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.valid()) return file;
  std::string name = folder + "/.doctor-XXXXXX";
  file = UniqueFd(::mkostemp(name.data(), O_CLOEXEC));
  if (file.valid()) ::unlink(name.c_str());
  return file;
}

// Pieces that were written and are on the device when it returns.
Result<size_t> write_pieces(int file, const std::vector<char>& piece) {
  size_t pieces = 0;
  for (const double began = steady_ms(); pieces < kPieces && steady_ms() - began < kLongestMs; ++pieces) {
    if (::write(file, piece.data(), piece.size()) != static_cast<ssize_t>(piece.size())) return refused("write");
    if (::fdatasync(file) != 0) return refused("write");
  }
  return pieces;
}

Result<size_t> read_pieces(int file, size_t pieces) {
  std::vector<char> piece(kProbePieceBytes);
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);  // from the device, not from memory
  size_t done = 0;
  for (const double began = steady_ms(); done < pieces && steady_ms() - began < kLongestMs; ++done) {
    const auto offset = static_cast<off_t>(done * kProbePieceBytes);
    if (::pread(file, piece.data(), piece.size(), offset) != static_cast<ssize_t>(piece.size())) return refused("read");
  }
  return done;
}

double speed(size_t pieces, double ms) {
  return static_cast<double>(pieces * kProbePieceBytes) / (ms > 0 ? ms : 1) * 1000;
}

}  // namespace

Result<FlashSpeed> measure_flash(const std::string& folder) {
  struct statvfs device {};
  if (::statvfs(folder.c_str(), &device) != 0) return fail(ErrorCode::kNotFound, "there is no such folder");
  if (static_cast<uint64_t>(device.f_bavail) * device.f_frsize < 8 * kPieces * kProbePieceBytes) {
    return fail(ErrorCode::kNoSpace, "too little is free there");
  }
  const UniqueFd file = nameless_file(folder);
  if (!file.valid()) return refused("make a file");
  const std::vector<char> piece = noise();
  const double began = steady_ms();
  const auto written = write_pieces(file.get(), piece);
  if (!written) return fail(written.error());
  const double turned = steady_ms();
  const auto read = read_pieces(file.get(), *written);
  if (!read) return fail(read.error());
  return FlashSpeed{speed(*written, turned - began), speed(*read, steady_ms() - turned)};
}

}  // namespace rockllama::doctor
