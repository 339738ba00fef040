// The data of server-sent events out of the pieces of a response. Pure. A response that is no event stream is kept
// whole.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace rockllama {

class EventReader {
 public:
  // `on_data` gets the data of each event, without "[DONE]".
  explicit EventReader(std::function<void(const std::string& data)> on_data) : on_data_(std::move(on_data)) {}
  // False when a line or a plain response is larger than anything the server sends.
  [[nodiscard]] bool take(std::string_view piece);
  // What came that was no line of an event.
  [[nodiscard]] std::string rest() const { return plain_ + line_; }

 private:
  void end_line();

  std::function<void(const std::string&)> on_data_;
  std::string line_;
  std::string plain_;
};

}  // namespace rockllama
