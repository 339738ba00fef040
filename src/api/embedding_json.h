// OpenAI's list of embeddings. Pure.
#pragma once

#include <string>

#include "api/json_text.h"
#include "domain/question.h"

namespace rockllama::api {

// As base64 a vector is its floats of four bytes, the lowest first.
[[nodiscard]] OrderedJson embeddings_json(const Embeddings& embeddings, const std::string& model, bool as_base64);

}  // namespace rockllama::api
