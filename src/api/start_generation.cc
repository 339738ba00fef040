#include "api/start_generation.h"

#include <spdlog/spdlog.h>

#include <optional>
#include <utility>
#include <vector>

#include "api/errors.h"
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

// Several answers over one prompt: they share its prefix, and draw with seeds of their own.
CompletionRequest of_choice(CompletionRequest request, uint32_t choice) {
  std::optional<uint32_t>& seed = request.options.sampling.seed;
  if (seed) *seed += choice;
  return request;
}

}  // namespace

void refuse_generation(const Error& error, const http::Request& request, http::BodyWriter& writer) {
  spdlog::info(log_line({.request_id = request.id,
                         .caller = caller_of(request),
                         .status = status_of(error.code),
                         .error = error.message}));
  respond_error(writer, error);
}

void start_generation(const Services& services, const Dialect& dialect, Result<CompletionCall> call,
                      const http::Request& request, const std::shared_ptr<http::BodyWriter>& writer) {
  if (!call) return refuse_generation(call.error(), request, *writer);
  auto encoder = std::make_unique<CompletionEncoder>(
      CompletionEncoder::Options{.dialect = dialect,
                                 .request_id = request.id,
                                 .created = static_cast<int64_t>(unix_seconds()),
                                 .choices = call->choices,
                                 .include_usage = call->include_usage,
                                 .logprobs = call->request.options.top_logprobs.has_value()});
  start_generation(services, std::move(*call), std::move(encoder), request, writer);
}

void start_generation(const Services& services, CompletionCall call, std::unique_ptr<AnswerEncoder> encoder,
                      const http::Request& request, const std::shared_ptr<http::BodyWriter>& writer) {
  call.request.request_id = request.id;
  call.request.caller = caller_of(request);
  if (services.keys != nullptr) call.request.salt = services.keys->salt_of(request.caller);
  call.request.buffered = !call.stream;
  const auto responder =
      std::make_shared<GenerationResponder>(GenerationResponder::Options{.request_id = request.id,
                                                                         .choices = call.choices,
                                                                         .stream = call.stream,
                                                                         .caller = caller_of(request),
                                                                         .model = call.request.model},
                                            std::move(encoder), writer);
  // The generations keep the responder alive; everything else only knows it.
  std::vector<Completions::Handle> handles;
  handles.reserve(call.choices);
  for (uint32_t choice = 0; choice < call.choices; ++choice) {
    handles.push_back(services.completions->run(
        of_choice(call.request, choice), kCreditTokens,
        [responder, choice](const CompletionEvent& event) { responder->on_event(event, choice); }));
  }
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
