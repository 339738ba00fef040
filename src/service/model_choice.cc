#include "service/model_choice.h"

#include "service/model_pool.h"

namespace rockllama {
namespace {

Result<ModelEntry> unnamed_model(ServiceContext* context) {
  for (const ModelPool::Loaded& loaded : context->pool->loaded()) {
    if (loaded.host->ready()) return loaded.host->entry();
  }
  return default_model(context);
}

}  // namespace

Result<ModelEntry> default_model(ServiceContext* context) {
  if (!context->options.default_model.empty()) return context->registry->find(context->options.default_model);
  auto entries = context->registry->scan();
  if (entries.size() == 1) return entries.front();
  if (entries.empty())
    return fail(ErrorCode::kModelNotFound, "there is no model; put one into the models folder", "model");
  return fail(ErrorCode::kInvalidArgument, "there are several models; name one in `model`", "model");
}

Result<ModelChoice> choose_model(ServiceContext* context, const std::string& asked) {
  const size_t at = asked.find('@');
  const std::string name = asked.substr(0, at);
  auto entry = name.empty() ? unnamed_model(context) : context->registry->find(name);
  if (!entry) return tl::unexpected(entry.error());
  return ModelChoice{std::move(*entry), at == std::string::npos ? "" : asked.substr(at + 1)};
}

}  // namespace rockllama
