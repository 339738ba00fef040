// The tiny models, each written and loaded once; their vocabulary is that of ROCKLLAMA_TEST_MODEL.
#pragma once

#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/support/llama_engine_run.h"
#include "tests/support/tiny_model.h"

namespace rockllama {

inline const std::shared_ptr<llama_model>& tiny_model(TinyShape shape) {
  static std::map<TinyShape, std::shared_ptr<llama_model>> models;
  std::shared_ptr<llama_model>& model = models[shape];
  if (!model) {
    const UniqueFd file = memory_file();
    const std::string path = "/proc/self/fd/" + std::to_string(file.get());
    if (!write_tiny_model(shape, std::getenv("ROCKLLAMA_TEST_MODEL"), path)) throw std::runtime_error("no tiny model");
    model = load_llama_model({.file = path}).value();
  }
  return model;
}

}  // namespace rockllama
