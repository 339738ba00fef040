// Fields by which clients tell OpenAI's platform how to treat a request. Pure.
#pragma once

#include "api/generation_fields.h"

namespace rockllama::api {

// service_tier and prompt_cache_key go into `call`. metadata, modalities, prediction, prompt_cache_retention,
// safety_identifier, store, user and verbosity have no effect, and are only held against what they may be. Faults are
// left in `fields`; kUnsupported for answers in sound.
void read_client_fields(FieldReader* fields, CompletionCall* call);

}  // namespace rockllama::api
