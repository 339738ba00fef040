#include "cli/doctor.h"

#include <cstdio>

#include "cli/doctor_report.h"
#include "doctor/flash_probe.h"
#include "doctor/machine_reader.h"

namespace rockllama {
namespace {

std::vector<doctor::ModelFacts> read_models(const ServerAccess& access) {
  std::vector<doctor::ModelFacts> models;
  const auto available = answer_json(access.send({.target = "/v1/models/available"}));
  if (!available) return models;
  for (const ApiJson& item : list_field(*available, "models")) {
    const std::string name = percent_encoded(text_field(item, "name"));
    const auto model = answer_json(access.send({.target = "/v1/models/" + name}));
    const auto caches = answer_json(access.send({.target = "/v1/cache/" + name}));
    if (model) models.push_back(model_facts(*model, caches ? *caches : ApiJson::object()));
  }
  return models;
}

void read_server(const DoctorOptions& options, const OpenFolder& open_folder, DoctorReport* report) {
  const auto access = open_access(options.access, open_folder);
  if (!access) {
    report->server_words = "none found: " + access.error().message;
    return;
  }
  report->server_runs = !access->local;
  report->server_words = access->local ? "none runs; the folders were read" : "runs and answers";
  report->models = read_models(*access);
  if (report->models.empty())
    report->server_words += "; there is no model: put a .gguf or .rkllm file into models/NAME/";
}

}  // namespace

CLI::App* add_doctor(CLI::App* app, DoctorOptions* options) {
  CLI::App* command = app->add_subcommand("doctor", "look at this machine and its models, and say what to do");
  command->add_flag("--json", options->json, "JSON for programs");
  command->add_option("--url", options->access.url, "server to ask, as in http://127.0.0.1:8080");
  command->add_option("--api-key", options->access.api_key, "key of the server; else ROCKLLAMA_API_KEY");
  command->add_option("--config", options->access.flags.config_file, "settings file (config/rockllama.json)");
  command->add_option("--root", options->root, "folder with another /proc and /sys to look at");
  const auto setting = [&](const char* flag, const char* key, const char* what) {
    command->add_option_function<std::string>(
        flag, [options, key](const std::string& value) { options->access.flags.settings[key] = value; }, what);
  };
  setting("--cache", "cache.folder", "folder of the prompt caches");
  setting("--models", "models.folder", "folder with one folder per model");
  return command;
}

int run_doctor(const DoctorOptions& options, const OpenFolder& open_folder) {
  const auto config = read_config(options.access.flags);
  if (!config) return 2;
  DoctorReport report;
  report.machine = doctor::read_machine(
      {.root = options.root, .runtime_setting = config->rkllm.library, .environment = environment()});
  report.cache_folder = config->cache.folder;
  report.flash = doctor::measure_flash(config->cache.folder);
  read_server(options, open_folder, &report);
  const std::string text = options.json
                               ? report_json(report).dump(2, ' ', false, ApiJson::error_handler_t::replace) + "\n"
                               : report_text(report);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

}  // namespace rockllama
