// Any chat that a client may send, rendered through a template of each family: the first byte says which, the others
// are the body of the request. What is refused must say why.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/chat_request.h"
#include "template_families.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto call = rockllama::api::parse_chat_request(body, true);
  if (!call) return 0;
  const auto& prompt = std::get<rockllama::ChatPrompt>(call->request.prompt);
  const auto rendered = rockllama::family_of(data[0]).render_for_answer(prompt);
  if (!rendered && rendered.error().message.empty()) std::abort();
  return 0;
}
