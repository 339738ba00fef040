// Faults that a test plants, and switches between behaviours that nobody has seen on a board: read again at each call
// of the library from the file that the environment variable ROCKLLAMA_SIM_FAULTS names. A line is a name and perhaps a
// value; lines that begin with # mean nothing. `once NAME [VALUE]`: takes effect one time, and leaves the file then.
//
//   segfault NAME, hang NAME   in the call NAME: init, run, save, load, abort, destroy
//   run_token N                a segfault or hang in run comes after the Nth token of the answer (default: before any)
//   abort_past_context         SIGABRT where the answer reaches the end of the context, instead of a shifted window
//   null_handle                init returns 0 and gives no handle
//   second_init_out_of_memory  init fails while another handle lives, in whatever process reads the same file
//   too_many_open_files N      init fails if the process may open fewer than N files
//   cannot_save                as for an architecture whose state cannot be saved: the run is fine, there is no file
//   truncated_save             half of the file, and no error
//   disk_full                  part of the file, and the run returns -1
//   garbage_text               bytes that are no text
//   async_never_finishes       run_async returns 0 and calls nobody
//   version X.Y.Z              what the banner says
//   context_limit N            the model's limit, as if it had been converted with it
//   special_tokens on|off      whether special tokens in a prompt's text are parsed
//   waits_for_utf8             RUN_WAITING until a character is whole, instead of its bytes as they come
//   running_is_zero            rkllm_is_running as the headers before 1.3.0 describe it
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace rkllm_sim {

class Faults {
 public:
  // The file as it is now; none where the variable is not set or names no file.
  static Faults read();
  // From the text of a file; `path` is where `once` lines are taken out, empty for nowhere.
  static Faults parse(std::string_view text, std::string path = {});

  // Whether this line, `name` or `name value`, is there.
  [[nodiscard]] bool has(const std::string& line) const;
  // What follows the name.
  [[nodiscard]] std::optional<std::string> value(const std::string& name) const;
  [[nodiscard]] int number(const std::string& name, int absent) const;
  // Like has(), and removes the line from the file if it said `once`.
  bool take(const std::string& line);

  // Where a fault is planted for this call, does not return. `call`: init, run, save, load, abort, destroy.
  void strike(const std::string& call);

  // The file that they were read from, empty if none.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::map<std::string, bool> lines_;  // text without `once` -> whether it said so
  std::string path_;
};

// Never returns.
[[noreturn]] void hang();

}  // namespace rkllm_sim
