// Any bytes, read as the body of each kind of request. What is refused must say why.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/cache_request.h"
#include "api/chat_request.h"
#include "api/completion_request.h"
#include "api/embedding_request.h"
#include "api/response_request.h"
#include "api/token_request.h"

namespace {

template <class T>
void check(const rockllama::Result<T>& parsed) {
  if (!parsed && parsed.error().message.empty()) std::abort();
}

// Where an engine cannot be held to a schema, any schema is checked against any answer.
void check_answers(const rockllama::api::CompletionCall& call) {
  if (!call.request.make_answer_check) return;
  const auto answer_check = call.request.make_answer_check();
  check(answer_check);
  if (!answer_check) return;
  for (const char* answer : {"{}", R"({"a":[1,"b",null,{"c":0.5}]})", "```json\n[]\n```", "[[", ""}) {
    check((*answer_check)(answer));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto chat = rockllama::api::parse_chat_request(body, false);
  check(chat);
  if (chat) check_answers(*chat);
  check(rockllama::api::parse_completion_request(body));
  check(rockllama::api::parse_response_request(body, false));
  check(rockllama::api::parse_embeddings_request(body));
  check(rockllama::api::parse_tokenize_request(body));
  check(rockllama::api::parse_detokenize_request(body));
  check(rockllama::api::parse_create_cache(body));
  check(rockllama::api::parse_generate_binary(body));
  return 0;
}
