#include "cli/doctor_report.h"

#include <cmath>

#include "base/one_line.h"

namespace rockllama {
namespace {

using doctor::Finding;
using doctor::Level;

constexpr double kReportMegabyte = 1048576;

ApiJson object_field(const ApiJson& json, const char* name) {
  return json.is_object() && json.contains(name) && json[name].is_object() ? json[name] : ApiJson::object();
}

uint64_t bytes_of_mb(double megabytes) { return static_cast<uint64_t>(std::llround(megabytes * kReportMegabyte)); }

void add_states(const ApiJson& cache, doctor::ModelFacts* facts) {
  for (const ApiJson& state : list_field(cache, "binary")) {
    facts->states.push_back({.cache = text_field(cache, "cache_name"),
                             .format = text_field(state, "format"),
                             .status = text_field(state, "status"),
                             .reason = text_field(state, "reason"),
                             .tokens = static_cast<uint32_t>(number_field(state, "tokens")),
                             .bytes = bytes_of_mb(number_field(state, "size_mb"))});
  }
}

void add_speeds(const ApiJson& stats, doctor::ModelFacts* facts) {
  const ApiJson speeds = object_field(object_field(stats, "models"), facts->name.c_str());
  facts->prefill_tokens_per_s = number_field(speeds, "prefill_tokens_per_second");
  facts->restore_bytes_per_s = number_field(speeds, "restore_mb_per_second") * kReportMegabyte;
  if (const double tokens = number_field(speeds, "break_even_tokens"); tokens > 0) {
    facts->break_even_tokens = static_cast<uint32_t>(tokens);
  }
}

// The server's findings, the machine's and the models', in the order in which they are read.
std::vector<Finding> findings_of(const DoctorReport& report) {
  std::vector<Finding> findings = doctor::machine_findings(report.machine);
  findings.push_back(doctor::flash_finding(report.cache_folder, report.flash));
  findings.push_back({"server", report.server_runs ? Level::kGood : Level::kNote, report.server_words});
  for (const doctor::ModelFacts& model : report.models) {
    const auto more = doctor::model_findings(model, report.machine, report.server_runs);
    findings.insert(findings.end(), more.begin(), more.end());
  }
  return findings;
}

std::string padded_to(std::string text, size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

// Text of files and servers must not steer the terminal; line ends become indented lines.
std::string indented(const std::string& text, const std::string& indent) {
  std::string result;
  for (const char c : text) result += c == '\n' ? "\n" + indent : one_line(std::string(1, c));
  return result;
}

ApiJson or_null(double value) { return value > 0 ? ApiJson(value) : ApiJson(nullptr); }
ApiJson or_null(const std::string& text) { return text.empty() ? ApiJson(nullptr) : ApiJson(text); }

const char* kind_word(doctor::ClockKind kind) {
  return kind == doctor::ClockKind::kCpu ? "cpu" : kind == doctor::ClockKind::kNpu ? "npu" : "ddr";
}

ApiJson machine_json(const doctor::Machine& machine) {
  ApiJson clocks = ApiJson::array();
  for (const doctor::Clock& clock : machine.clocks) {
    clocks.push_back({{"kind", kind_word(clock.kind)},
                      {"name", clock.name},
                      {"governor", or_null(clock.governor)},
                      {"hz", clock.now_hz},
                      {"most_hz", clock.most_hz}});
  }
  ApiJson runtime = nullptr;
  if (machine.runtime) {
    runtime = {{"path", machine.runtime->path},
               {"origin", machine.runtime->origin},
               {"exists", machine.runtime->exists},
               {"version", or_null(machine.runtime->version)}};
  }
  return {{"soc", or_null(machine.soc)},
          {"board", or_null(machine.board)},
          {"processor", or_null(machine.processor)},
          {"npu_driver", {{"present", machine.npu.present}, {"version", or_null(machine.npu.version)}}},
          {"runtime", std::move(runtime)},
          {"clocks", std::move(clocks)},
          {"memory_bytes", machine.memory_bytes},
          {"available_bytes", machine.available_bytes},
          {"swap_bytes", machine.swap_bytes},
          {"swap_free_bytes", machine.swap_free_bytes},
          {"descriptors", machine.descriptors},
          {"descriptors_most", machine.descriptors_most}};
}

ApiJson flash_json(const DoctorReport& report) {
  if (!report.flash) return nullptr;
  return {{"write_mb_per_second", std::round(report.flash->write_bytes_per_s / kReportMegabyte)},
          {"read_mb_per_second", std::round(report.flash->read_bytes_per_s / kReportMegabyte)}};
}

ApiJson state_json(const doctor::ModelFacts& model, const doctor::StateFacts& state) {
  const auto cost = doctor::restore_cost(model, state);
  return {{"cache_name", state.cache},
          {"format", state.format},
          {"status", state.status},
          {"reason", or_null(state.reason)},
          {"tokens", state.tokens},
          {"bytes", state.bytes},
          {"restore_ms", cost ? ApiJson(cost->restore_ms) : ApiJson(nullptr)},
          {"prefill_ms", cost ? ApiJson(cost->prefill_ms) : ApiJson(nullptr)}};
}

ApiJson model_report_json(const doctor::ModelFacts& model) {
  ApiJson states = ApiJson::array();
  for (const doctor::StateFacts& state : model.states) states.push_back(state_json(model, state));
  return {{"name", model.name},
          {"engine", model.engine},
          {"status", model.status},
          {"failure", or_null(model.failure)},
          {"log", model.log},
          {"context_tokens", or_null(model.context_tokens)},
          {"kv_bytes_per_token", or_null(static_cast<double>(model.kv_bytes_per_token))},
          {"runtime_version", or_null(model.runtime.version)},
          {"driver_version", or_null(model.runtime.driver_version)},
          {"saving_problem", or_null(model.saving_problem)},
          {"prompt_mode", or_null(model.prompt_mode)},
          {"prompt_mode_reason", or_null(model.prompt_mode_reason)},
          {"prefill_tokens_per_second", or_null(model.prefill_tokens_per_s)},
          {"restore_mb_per_second", or_null(model.restore_bytes_per_s / kReportMegabyte)},
          {"break_even_tokens", model.break_even_tokens ? ApiJson(*model.break_even_tokens) : ApiJson(nullptr)},
          {"caches", model.caches},
          {"states", std::move(states)}};
}

}  // namespace

doctor::ModelFacts model_facts(const ApiJson& model, const ApiJson& caches) {
  doctor::ModelFacts facts{
      .name = text_field(model, "id"), .engine = text_field(model, "engine"), .status = text_field(model, "status")};
  facts.failure = text_field(model, "failure");
  const ApiJson runtime = object_field(model, "runtime");
  facts.runtime = {.version = text_field(runtime, "version"),
                   .driver_version = text_field(runtime, "driver_version"),
                   .platform = text_field(runtime, "platform"),
                   .toolkit_version = text_field(runtime, "toolkit_version"),
                   .context_limit = static_cast<uint32_t>(number_field(runtime, "context_limit"))};
  for (const ApiJson& line : list_field(model, "log")) {
    if (line.is_string()) facts.log.push_back(line.get<std::string>());
  }
  facts.file_bytes = bytes_of_mb(number_field(model, "size_mb"));
  facts.context_tokens = static_cast<uint32_t>(number_field(model, "context_tokens"));
  facts.kv_bytes_per_token = static_cast<uint64_t>(number_field(model, "kv_bytes_per_token"));
  facts.prompt_mode = text_field(model, "prompt_mode");
  facts.prompt_mode_reason = text_field(model, "prompt_mode_reason");
  facts.saving_problem = text_field(model, "saving_problem");
  for (const ApiJson& cache : list_field(caches, "data")) {
    ++facts.caches;
    add_states(cache, &facts);
  }
  add_speeds(object_field(caches, "stats"), &facts);
  return facts;
}

std::string report_text(const DoctorReport& report) {
  const std::vector<Finding> findings = findings_of(report);
  size_t width = 0;
  for (const Finding& finding : findings) width = std::max(width, finding.subject.size());
  const size_t level_width = std::string(to_string(Level::kWarning)).size();
  const std::string indent(width + level_width + 4, ' ');
  std::string text;
  for (const Finding& finding : findings) {
    text += padded_to(one_line(finding.subject), width) + "  " + padded_to(to_string(finding.level), level_width) +
            "  " + indented(finding.what, indent) + "\n";
    if (!finding.advice.empty()) text += indent + "-> " + indented(finding.advice, indent) + "\n";
  }
  return text;
}

ApiJson report_json(const DoctorReport& report) {
  ApiJson findings = ApiJson::array();
  for (const Finding& finding : findings_of(report)) {
    findings.push_back({{"subject", finding.subject},
                        {"level", to_string(finding.level)},
                        {"what", finding.what},
                        {"advice", or_null(finding.advice)}});
  }
  ApiJson models = ApiJson::array();
  for (const doctor::ModelFacts& model : report.models) models.push_back(model_report_json(model));
  return {{"object", "doctor"},
          {"findings", std::move(findings)},
          {"machine", machine_json(report.machine)},
          {"flash", flash_json(report)},
          {"server", {{"running", report.server_runs}, {"message", report.server_words}}},
          {"models", std::move(models)}};
}

}  // namespace rockllama
