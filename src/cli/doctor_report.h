// What the doctor found, as text for people and as JSON for programs; and the facts in the API's answers. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/api_text.h"
#include "doctor/model_findings.h"

namespace rockllama {

// Of GET /v1/models/{id} and GET /v1/cache/{model}; what they do not say is left out.
[[nodiscard]] doctor::ModelFacts model_facts(const ApiJson& model, const ApiJson& caches);

struct DoctorReport {
  doctor::Machine machine{};
  Result<doctor::FlashSpeed> flash{};
  std::string cache_folder{};
  bool server_runs = false;
  std::string server_words{};  // where it runs, or why none was found
  std::vector<doctor::ModelFacts> models{};
};

[[nodiscard]] std::string report_text(const DoctorReport& report);
[[nodiscard]] ApiJson report_json(const DoctorReport& report);

}  // namespace rockllama
