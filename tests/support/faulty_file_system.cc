#include "tests/support/faulty_file_system.h"

namespace rockllama {

void FaultyFileSystem::fail_calls(uint64_t first, uint64_t last, ErrorCode code) {
  first_ = first;
  last_ = last;
  code_ = code;
}

Status FaultyFileSystem::next_call() {
  const uint64_t call = calls_++;
  if (call >= first_ && call <= last_) return fail(code_, "this call was told to fail");
  return {};
}

Result<std::string> FaultyFileSystem::read(const std::string& path, uint64_t limit) {
  return next_call().and_then([&] { return inner_->read(path, limit); });
}

Status FaultyFileSystem::write_synced(const std::string& path, std::string_view bytes) {
  const Status status = next_call();
  if (status) return inner_->write_synced(path, bytes);
  (void)inner_->write_synced(path, bytes.substr(0, bytes.size() / 2));
  return status;
}

Result<UniqueFd> FaultyFileSystem::create(const std::string& path) {
  return next_call().and_then([&] { return inner_->create(path); });
}

Result<UniqueFd> FaultyFileSystem::open(const std::string& path) {
  return next_call().and_then([&] { return inner_->open(path); });
}

Status FaultyFileSystem::sync(const std::string& path) {
  return next_call().and_then([&] { return inner_->sync(path); });
}

Status FaultyFileSystem::sync_folder(const std::string& path) {
  return next_call().and_then([&] { return inner_->sync_folder(path); });
}

Status FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  return next_call().and_then([&] { return inner_->rename(from, to); });
}

Status FaultyFileSystem::remove(const std::string& path) {
  return next_call().and_then([&] { return inner_->remove(path); });
}

Result<FileInfo> FaultyFileSystem::stat(const std::string& path) {
  return next_call().and_then([&] { return inner_->stat(path); });
}

Result<std::vector<FolderEntry>> FaultyFileSystem::list(const std::string& path) {
  return next_call().and_then([&] { return inner_->list(path); });
}

Status FaultyFileSystem::make_folders(const std::string& path) {
  return next_call().and_then([&] { return inner_->make_folders(path); });
}

Result<uint64_t> FaultyFileSystem::free_bytes(const std::string& path) {
  return next_call().and_then([&] { return inner_->free_bytes(path); });
}

Result<Hash128> FaultyFileSystem::hash(const std::string& path) {
  return next_call().and_then([&] { return inner_->hash(path); });
}

Result<FileInfo> FaultyFileSystem::stat(int fd) {
  return next_call().and_then([&] { return inner_->stat(fd); });
}

Result<Hash128> FaultyFileSystem::hash(int fd) {
  return next_call().and_then([&] { return inner_->hash(fd); });
}

Result<UniqueFd> FaultyFileSystem::lock(const std::string& path) {
  return next_call().and_then([&] { return inner_->lock(path); });
}

}  // namespace rockllama
