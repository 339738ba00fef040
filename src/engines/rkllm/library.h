// The vendor's library, opened: which file it is, which version, and why that is believed. It is never closed, because
// its threads and its exit handlers are not ours to order.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engines/rkllm/abi_group.h"

namespace rockllama::rkllm {

struct LibraryOptions {
  std::string path{};  // of librkllmrt.so; empty = RKLLM_LIB_PATH (a file or its folder), then the loader's search
  std::string forced_version{};  // as in "1.2.3": believed against what the library itself says
};

struct LibraryInfo {
  std::string version;
  AbiGroup group = AbiGroup::k1_1_0;
  std::string path;                     // of the file that was opened
  std::string found_by;                 // "configuration", "RKLLM_LIB_PATH" or "the loader's search"
  std::vector<std::string> warnings{};  // what speaks against a forced version, and what is unusual
};

class Library {
 public:
  // kNotFound where there is no such library or it cannot be loaded, kUnsupported where its version is not known, is
  // contradicted by what else it shows, or lacks a function: the message says what was seen and how to force a version.
  [[nodiscard]] static Result<std::shared_ptr<const Library>> open(const LibraryOptions& options);

  Library(LibraryInfo info, void* handle) : info_(std::move(info)), handle_(handle) {}
  [[nodiscard]] const LibraryInfo& info() const { return info_; }
  [[nodiscard]] Features features() const { return features_of(info_.group); }
  [[nodiscard]] void* handle() const { return handle_; }  // of dlopen

 private:
  LibraryInfo info_;
  void* handle_;
};

}  // namespace rockllama::rkllm
