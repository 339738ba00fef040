// Ends runs from a thread of its own: rkllm_abort must not be called inside a callback, and may take its time. Knows
// when a run goes on, so that an abort never meets the next one.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace rockllama::rkllm {

class Aborter {
 public:
  struct Calls {
    std::function<void()> abort;
    std::function<bool()> is_running;
  };
  explicit Aborter(Calls calls);
  ~Aborter();

  // Around a run, on its thread. The second returns whether an abort was asked for, and not before the library is back
  // from the call.
  void run_begins();
  bool run_ended();

  // Any thread; nothing without a run.
  void request();
  // For each callback of a run: asks the library again where it goes on all the same, because the call came before the
  // run had begun inside it. True when the run is to end.
  bool requested();

 private:
  void loop();
  void abort_now(std::unique_lock<std::mutex>* lock);

  Calls calls_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool in_run_ = false;
  bool requested_ = false;  // in this run
  bool due_ = false;        // the library is to be asked
  bool in_call_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace rockllama::rkllm
