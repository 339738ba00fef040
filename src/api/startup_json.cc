#include "api/startup_json.h"

#include "api/rounding.h"

namespace rockllama::api {
namespace {

OrderedJson current_json(const StartupProgress::Current& current) {
  const auto eta_s = current.eta_s();
  return {{"model", current.model},
          {"name", current.name},
          {"done_tokens", current.done_tokens},
          {"total_tokens", current.total_tokens},
          {"tokens_per_second", tenths(current.tokens_per_second)},
          {"eta_s", eta_s ? OrderedJson(tenths(*eta_s)) : OrderedJson(nullptr)}};
}

}  // namespace

OrderedJson startup_json(const StartupProgress& progress) {
  OrderedJson failed = OrderedJson::array();
  for (const StartupProgress::Failure& failure : progress.failed) {
    failed.push_back({{"model", failure.model}, {"name", failure.name}, {"reason", failure.reason}});
  }
  return {{"done", progress.done},
          {"total", progress.total},
          {"failed", failed},
          {"current", progress.current ? current_json(*progress.current) : OrderedJson(nullptr)}};
}

}  // namespace rockllama::api
