#include "engines/scripted/faults.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace rockllama {
namespace {

// With the default action, so that no sanitizer turns the signal into an exit code.
[[noreturn]] void die_of(int number) {
  static_cast<void>(std::signal(number, SIG_DFL));
  static_cast<void>(std::raise(number));
  std::abort();
}

[[noreturn]] void hang() {
  for (;;) ::pause();
}

bool first_time(const std::string& once_file) {
  if (once_file.empty()) return true;
  std::error_code ignored;
  if (std::filesystem::exists(once_file, ignored)) return false;
  std::ofstream(once_file).put('\n');
  return true;
}

}  // namespace

void Faults::at_load() {
  if (due(FaultKind::kHangOnLoad)) hang();
  if (due(FaultKind::kCrashOnLoad)) die_of(SIGSEGV);
}

void Faults::at_start(std::string_view prompt) {
  if (due(FaultKind::kAbortOnStart)) die_of(SIGABRT);
  if (due(FaultKind::kCrashIfPromptContains, 0, prompt)) die_of(SIGSEGV);
}

void Faults::at_restore() {
  if (due(FaultKind::kCrashOnRestore)) die_of(SIGSEGV);
  if (due(FaultKind::kHangOnRestore)) hang();
}

void Faults::at_save() {
  if (due(FaultKind::kCrashOnSave)) die_of(SIGSEGV);
  if (due(FaultKind::kHangOnSave)) hang();
}

void Faults::at_token(uint32_t token) {
  if (due(FaultKind::kCrashOnToken, token)) die_of(SIGSEGV);
  if (due(FaultKind::kHangOnToken, token)) hang();
}

bool Faults::garbage_at(uint32_t token) { return due(FaultKind::kGarbageFrameOnToken, token); }

bool Faults::due(FaultKind kind, uint32_t token, std::string_view prompt) {
  for (const Fault& fault : faults_) {
    if (fault.kind != kind || fault.token != token) continue;
    if (prompt.find(fault.word) == std::string_view::npos) continue;
    if (first_time(fault.once_file)) return true;
  }
  return false;
}

}  // namespace rockllama
