#include "api/start_generation.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/generation_responder.h"
#include "base/clock.h"

namespace rockllama::api {
namespace {

// Tokens that a client may be behind before its generation waits for it.
constexpr uint32_t kCreditTokens = 256;

void beat(Executor* executor, uint32_t every_ms, const std::weak_ptr<GenerationResponder>& weak) {
  if (executor == nullptr || every_ms == 0) return;
  executor->post_after(every_ms, [executor, every_ms, weak] {
    const auto responder = weak.lock();
    if (responder && responder->heartbeat()) beat(executor, every_ms, weak);
  });
}

// Several answers over one prompt share its prefix, and draw with seeds of their own.
CompletionRequest request_of(const CompletionCall& call, uint32_t generation) {
  CompletionRequest request = call.request;
  const uint32_t prompt = generation / call.generations_for_each();
  if (prompt > 0) request.prompt = call.further_prompts[prompt - 1];
  std::optional<uint32_t>& seed = request.options.sampling.seed;
  if (seed) *seed += generation % call.generations_for_each();
  // What candidates are compared by.
  if (call.candidates != 0 && !request.options.top_logprobs) request.options.top_logprobs = 0;
  return request;
}

// What the client wrote, where services know less of it.
struct Wording {
  std::string prompt_path = "prompt";
  bool logprobs_for_best_of = false;  // the client asked for none
};

Wording wording_of(const CompletionCall& call, uint32_t generation) {
  Wording wording{.logprobs_for_best_of = call.candidates != 0 && !call.request.options.top_logprobs};
  if (call.prompts() > 1) {
    wording.prompt_path += "[" + std::to_string(generation / call.generations_for_each()) + "]";
  }
  return wording;
}

Error in_words_of_client(Error error, const Wording& wording) {
  if (error.param == "prompt") error.param = wording.prompt_path;
  if (error.param == "logprobs" && wording.logprobs_for_best_of) {
    error.param = "best_of";
    error.message = "best_of is not supported by this model's engine, which knows no logprobs";
  }
  return error;
}

CompletionEncoder::Options encoder_options(const Dialect& dialect, const CompletionCall& call,
                                           const http::Request& request) {
  return {.dialect = dialect,
          .request_id = request.id,
          .created = static_cast<int64_t>(unix_seconds()),
          .choices = call.prompts() * call.choices,
          .include_usage = call.include_usage,
          .logprobs = call.request.options.top_logprobs.has_value(),
          .service_tier = call.service_tier};
}

GenerationResponder::Options responder_options(const CompletionCall& call, const http::Request& request) {
  return {.request_id = request.id,
          .prompts = call.prompts(),
          .choices = call.choices,
          .candidates = call.candidates,
          .stream = call.stream,
          .caller = caller_of(request),
          .model = call.request.model};
}

// Of each generation, in the order of the responder's choices.
std::vector<Completions::Handle> run_all(Completions* completions, const CompletionCall& call,
                                         const std::shared_ptr<GenerationResponder>& responder) {
  std::vector<Completions::Handle> handles;
  for (uint32_t i = 0; i < call.prompts() * call.generations_for_each(); ++i) {
    const auto tell = [responder, i, wording = wording_of(call, i)](const CompletionEvent& event) {
      const auto* error = std::get_if<Error>(&event);
      if (error == nullptr) return responder->on_event(event, i);
      responder->on_event(in_words_of_client(*error, wording), i);
    };
    handles.push_back(completions->run(request_of(call, i), kCreditTokens, tell));
  }
  return handles;
}

}  // namespace

void refuse_generation(const Error& error, const http::Request& request, http::BodyWriter& writer) {
  respond_logged({.request_id = request.id, .caller = caller_of(request)}, fail(error), writer);
}

void start_generation(const Services& services, const Dialect& dialect, Result<CompletionCall> call,
                      const http::Request& request, const std::shared_ptr<http::BodyWriter>& writer) {
  if (!call) return refuse_generation(call.error(), request, *writer);
  auto encoder = std::make_unique<CompletionEncoder>(encoder_options(dialect, *call, request));
  start_generation(services, std::move(*call), std::move(encoder), request, writer);
}

void start_generation(const Services& services, CompletionCall call, std::unique_ptr<AnswerEncoder> encoder,
                      const http::Request& request, const std::shared_ptr<http::BodyWriter>& writer) {
  call.request.request_id = request.id;
  call.request.caller = caller_of(request);
  if (services.keys != nullptr) call.request.salt = services.keys->salt_of(request.caller);
  call.request.buffered = !call.stream;
  const auto responder =
      std::make_shared<GenerationResponder>(responder_options(call, request), std::move(encoder), writer);
  // The generations keep the responder alive; everything else only knows it.
  const std::vector<Completions::Handle> handles = run_all(services.completions, call, responder);
  responder->attach(
      {.cancel =
           [handles] {
             for (const Completions::Handle& handle : handles) handle.cancel();
           },
       .add_credit = [handles](uint32_t choice, uint32_t tokens) { handles[choice].add_credit(tokens); }});
  const std::weak_ptr<GenerationResponder> weak = responder;
  writer->watch(
      [weak] {
        if (const auto watched = weak.lock()) watched->on_closed();
      },
      [weak] {
        if (const auto watched = weak.lock()) watched->on_drained();
      });
  beat(call.stream ? services.executor : nullptr, services.heartbeat_ms, weak);
}

}  // namespace rockllama::api
