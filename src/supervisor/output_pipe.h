// Takes what a child process writes to its stdout and stderr, on a thread of its own.
#pragma once

#include <functional>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"

namespace rockllama {

class OutputPipe {
 public:
  // `take` is called on the pipe's thread; must not block for long, or the child does.
  using Take = std::function<void(std::string_view bytes)>;
  OutputPipe() = default;
  OutputPipe(const OutputPipe&) = delete;
  OutputPipe& operator=(const OutputPipe&) = delete;
  ~OutputPipe() { finish(); }

  // Makes the pipe; kIo without descriptors.
  [[nodiscard]] Status open();
  // The child's end, until begin().
  [[nodiscard]] int child_end() const { return write_end_.get(); }
  // Once the child has it.
  void begin(Take take);
  // The child is dead: what it had written is taken, then the thread ends. Does not wait for others that may have
  // inherited the pipe.
  void finish();

 private:
  void read_until_finished(const Take& take);

  UniqueFd read_end_;
  UniqueFd write_end_;
  UniqueFd finished_;  // an eventfd
  std::thread thread_;
};

}  // namespace rockllama
