#include <utility>

#include "api/api.h"
#include "api/errors.h"
#include "api/response_encoder.h"
#include "api/response_request.h"
#include "api/response_store.h"
#include "api/start_generation.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/secrets.h"

namespace rockllama::api {
namespace {

using RequestPtr = std::shared_ptr<http::Request>;
using WriterPtr = std::shared_ptr<http::BodyWriter>;
using StorePtr = std::shared_ptr<ResponseStore>;

constexpr size_t kIdBytes = 32;  // of randomness

Hash128 owner_of(const Services& services, const http::Request& request) {
  return services.keys == nullptr ? Hash128{} : services.keys->salt_of(request.caller);
}

Error no_response(const std::string& id, const std::string& param) {
  return {ErrorCode::kNotFound, "there is no response '" + id + "', or it is not stored any more", param};
}

// Nobody can guess one: ids are all that keeps the conversations of callers without keys apart.
Result<std::string> new_suffix() {
  const auto bytes = random_bytes(kIdBytes);
  if (!bytes) return fail(bytes.error());
  return to_hex(hash_bytes(*bytes));
}

// The request with the whole conversation; gives that without the instructions, too.
Result<std::vector<ChatMessage>> join_conversation(ResponseStore* store, const Hash128& owner, ResponseCall* call) {
  auto& messages = std::get<ChatPrompt>(call->call.request.prompt).messages;
  std::vector<ChatMessage> before;
  if (!call->previous_id.empty()) {
    const auto previous = store->find(call->previous_id, owner);
    if (!previous) return fail(no_response(call->previous_id, "previous_response_id"));
    before = previous->messages;
  }
  std::vector<ChatMessage> conversation = whole_conversation("", before, messages);
  messages = whole_conversation(call->instructions, before, messages);
  return conversation;
}

Result<ResponseEncoder::Options> encoding_of(const StorePtr& store, const Hash128& owner, ResponseCall* call) {
  const auto suffix = new_suffix();
  if (!suffix) return fail(suffix.error());
  auto conversation = join_conversation(store.get(), owner, call);
  if (!conversation) return fail(conversation.error());
  ResponseEncoder::Options options{
      .suffix = *suffix, .created = static_cast<int64_t>(unix_seconds()), .echo = std::move(call->echo)};
  if (!call->store) return options;
  options.keep = [store, owner, conversation = std::move(*conversation)](const std::string& id, std::string json,
                                                                         ChatMessage answer) {
    StoredResponse stored{owner, std::move(json), conversation};
    stored.messages.push_back(std::move(answer));
    store->put(id, std::move(stored));
  };
  return options;
}

void create_response(const Services& services, const StorePtr& store, const RequestPtr& request,
                     const WriterPtr& writer) {
  auto call = parse_response_request(request->body, services.enable_thinking);
  if (!call) return refuse_generation(call.error(), *request, *writer);
  auto options = encoding_of(store, owner_of(services, *request), &*call);
  if (!options) return refuse_generation(options.error(), *request, *writer);
  start_generation(services, std::move(call->call), std::make_unique<ResponseEncoder>(std::move(*options)), *request,
                   writer);
}

void read_response(const Services& services, const StorePtr& store, const RequestPtr& request,
                   const WriterPtr& writer) {
  if (request->query_value("stream") == "true") {
    return respond_error(*writer, {ErrorCode::kUnsupported, "stream is not supported here", "stream"});
  }
  const std::string id(request->path_value("id"));
  const auto found = store->find(id, owner_of(services, *request));
  if (!found) return respond_error(*writer, no_response(id, "id"));
  writer->respond({}, found->json);
}

void forget_response(const Services& services, const StorePtr& store, const RequestPtr& request,
                     const WriterPtr& writer) {
  const std::string id(request->path_value("id"));
  if (!store->remove(id, owner_of(services, *request))) return respond_error(*writer, no_response(id, "id"));
  respond_json(*writer, {{"id", id}, {"object", "response"}, {"deleted", true}});
}

}  // namespace

void add_responses(http::Router& router, const Services& services) {
  const auto store = std::make_shared<ResponseStore>(services.stored_responses);
  using Flow = void (*)(const Services&, const StorePtr&, const RequestPtr&, const WriterPtr&);
  const auto add = [&](const char* method, const char* pattern, Flow flow) {
    router.add(method, pattern, [services, store, flow](const RequestPtr& request, const WriterPtr& writer) {
      flow(services, store, request, writer);
    });
  };
  add("POST", "/v1/responses", create_response);
  add("GET", "/v1/responses/{id}", read_response);
  add("DELETE", "/v1/responses/{id}", forget_response);
}

}  // namespace rockllama::api
