// The calls of one opened library on one handle, in one shape for every ABI group. Says what the library said; what
// that means is Runtime's part. Two things here live as long as the runtime may look at them: what a run is given,
// until end_run(), and the receiver of its callbacks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engines/rkllm/library.h"
#include "engines/rkllm/runtime.h"

namespace rockllama::rkllm {

enum class CallState : uint8_t { kNormal, kWaiting, kFinish, kError };

// One callback, of whatever group.
struct CallbackEvent {
  CallState state = CallState::kNormal;
  Piece piece{};
  HiddenLayer hidden{};
  PerfStats perf{};  // means something at kFinish, where the group has it
};

// Gets the callbacks, on whatever thread the library calls them.
using CallbackReceiver = std::function<void(const CallbackEvent&)>;

class Binding {
 public:
  virtual ~Binding() = default;

  struct InitAnswer {
    int code = 0;
    bool has_handle = false;
  };
  virtual InitAnswer init(const RuntimeOptions& options, const CallbackReceiver* receiver) = 0;
  // Each answers what the library answered: 0 is success.
  virtual int run(const RunRequest& request) = 0;
  // After the last callback of a run: lets go of what it was given.
  virtual void end_run() = 0;
  virtual int abort() = 0;
  virtual bool is_running() = 0;
  virtual int load_prompt_cache(const std::string& path) = 0;
  virtual int release_prompt_cache() = 0;
  virtual int load_lora(const std::string& path, const std::string& name, float scale) = 0;
  // -1 in groups without the function, which nobody asks.
  virtual int clear_kv_cache() = 0;
  virtual int set_chat_template(const std::string& system, const std::string& prefix, const std::string& postfix) = 0;
  virtual int set_function_tools(const std::string& system, const std::string& tools, const std::string& tag) = 0;
  virtual int get_kv_cache_size(int32_t* tokens) = 0;
};

[[nodiscard]] std::unique_ptr<Binding> make_binding(const Library& library);

}  // namespace rockllama::rkllm
