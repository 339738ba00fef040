// Errors as values: every call that can fail returns Result<T>; only files that call a throwing library
// use exceptions, and they stay inside that file.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace rockllama {

// What went wrong, in the words of the caller's world; each API dialect maps these to its statuses in one table.
enum class ErrorCode : unsigned char {
  kInvalidArgument,        // a field has a bad value; Error::param names it
  kUnauthorized,           // no valid API key
  kUnsupportedContent,     // well-formed, but of a kind that this server does not take (images, audio)
  kContextLengthExceeded,  // the prompt does not fit the model's context
  kNotFound,               // no such cache, route, object
  kModelNotFound,          // no such model
  kConflict,               // exists already, or is in use
  kTooLarge,               // over a size limit
  kQueueFull,              // come again later
  kUnavailable,            // not ready in time: a load or a restart outlasts the wait limit
  kUnsupported,            // the engine or runtime cannot do this
  kCancelled,              // the caller left or the server stops
  kIo,                     // a file or socket call failed
  kNoSpace,                // disk full or over quota
  kCorrupt,                // bytes are not what they should be
  kInternal,               // a fault of ours, or a worker that died
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message{};  // one sentence for people; no paths, no stack
  std::string param{};    // path of the field at fault, as in "messages[0].content"; may be empty
  int retry_after_s = 0;  // for kQueueFull and kUnavailable
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message, std::string param = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(param)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace rockllama
