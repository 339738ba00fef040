// `rockllama cache create` and `warm`: what makes states, with its progress.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <sstream>

#include "base/json_depth.h"
#include "cli/cache_commands.h"
#include "cli/event_reader.h"
#include "cli/progress_line.h"
#include "cli/text_table.h"

namespace rockllama {
namespace {

constexpr std::string_view kNeedsServer =
    "making a state needs a running server: start it with `rockllama serve`, or store the text alone with --text-only";

Result<std::string> read_input(const std::string& file) {
  std::ifstream opened;
  if (file != "-") opened.open(file, std::ios::binary);
  std::istream& input = file == "-" ? std::cin : opened;
  std::ostringstream text;
  // Of a folder the first read fails, not the opening. An empty file sets only failbit, and only of `text`.
  if (input.good() && input.peek() != std::char_traits<char>::eof()) text << input.rdbuf();
  if ((file != "-" && !opened.is_open()) || input.bad()) return fail(ErrorCode::kIo, file + ": cannot be read");
  return text.str();
}

// In the request's JSON what is no UTF-8 would be replaced, and nobody would notice.
bool is_utf8(const std::string& text) {
  try {
    return !ApiJson(text).dump().empty();
  } catch (const ApiJson::type_error&) {
    return false;
  }
}

// An object {messages, tools} out of a file with one, or with the list alone.
Result<ApiJson> read_messages(const std::string& file) {
  const auto text = read_input(file);
  if (!text) return fail(text.error());
  ApiJson json = nested_too_deep(*text) ? ApiJson() : ApiJson::parse(*text, nullptr, false);
  if (json.is_array()) json = {{"messages", json}};
  if (json.is_object() && json.contains("messages")) return json;
  return fail(ErrorCode::kInvalidArgument, file + ": must be a JSON list of messages, or an object {messages, tools}");
}

Status add_content(const CacheOptions& options, ApiJson* body) {
  if (!options.messages.empty()) {
    auto messages = read_messages(options.messages);
    if (!messages) return fail(messages.error());
    if (options.text_only) {
      // As the store keeps messages; docs/cache-format.md.
      ApiJson stored = {{"object", "prompt_cache.messages"}};
      stored.update(*messages);
      (*body)["content"] = stored.dump(2, ' ', false, ApiJson::error_handler_t::replace);
    } else {
      for (const char* field : {"messages", "tools"}) {
        if (messages->contains(field)) (*body)[field] = (*messages)[field];
      }
    }
    return {};
  }
  auto text = options.file.empty() ? Result<std::string>(options.prompt) : read_input(options.file);
  if (!text) return fail(text.error());
  if (!is_utf8(*text)) return fail(ErrorCode::kInvalidArgument, "the text is not UTF-8");
  (*body)[options.text_only ? "content" : "prompt"] = std::move(*text);
  return {};
}

Result<ApiJson> create_body(const CacheOptions& options) {
  ApiJson body = {{"cache_name", options.name}};
  if (const Status added = add_content(options, &body); !added) return fail(added.error());
  if (!options.parent.empty()) body["parent"] = options.parent;
  if (!options.text_only) body["format"] = options.format;
  if (options.ttl_s > 0) body["ttl"] = options.ttl_s;
  if (options.pinned) body["pinned"] = true;
  if (options.retry_binary) body["retry_binary"] = true;
  if (options.no_overwrite) body["overwrite"] = false;
  if (!options.text_only) body["stream"] = true;
  return body;
}

// Sends a request that answers with progress, and gives the last object.
Result<ApiJson> send_with_progress(const ServerAccess& access, const std::string& target, const ApiJson& body,
                                   const std::string& what) {
  ProgressLine progress(what);
  std::optional<ApiJson> last;
  EventReader events([&](const std::string& data) {
    ApiJson event = ApiJson::parse(data, nullptr, false);
    if (text_field(event, "object") == "cache.progress") {
      progress.update(number_field(event, "done"), number_field(event, "total"), "tokens");
    } else {
      last = std::move(event);
    }
  });
  http::ClientRequest request{.method = "POST", .target = target};
  request.body = body.dump(-1, ' ', false, ApiJson::error_handler_t::replace);
  request.on_piece = [&](std::string_view piece) { return events.take(piece); };
  auto response = access.send(request);
  if (!response || response->status != 200) return answer_json(response);
  if (!last) {
    response->body = events.rest();
    return answer_json(response);
  }
  if (const std::string words = error_words(*last); !words.empty()) return fail(ErrorCode::kIo, words);
  return *last;
}

// Why there is no state, although one was wanted; empty = there is one.
std::string missing_state(const ApiJson& created) {
  const std::string warning = text_field(created, "warning");
  return created.contains("binary") && !flag_field(created, "binary") && !warning.empty() ? warning : "";
}

std::vector<ApiJson> wanted_caches(const ApiJson& list, const std::vector<std::string>& names) {
  std::vector<ApiJson> wanted;
  if (!names.empty()) {
    for (const std::string& name : names) wanted.push_back({{"cache_name", name}});
    return wanted;
  }
  for (const ApiJson& info : list_field(list, "data")) {
    if (flag_field(info, "has_text")) wanted.push_back(info);
  }
  return wanted;
}

}  // namespace

int create_cache(const CacheOptions& options, const ServerAccess& access) {
  if (access.local && !options.text_only) return report({ErrorCode::kUnavailable, std::string(kNeedsServer)});
  const auto body = create_body(options);
  if (!body) return report(body.error());
  const auto path = model_path(options, access);
  if (!path) return report(path.error());
  const auto created = send_with_progress(access, *path, *body, options.name);
  if (!created) return report(created.error());
  print(options, *created, options.name + ": " + text_field(*created, "message") + "\n");
  return missing_state(*created).empty() ? 0 : 1;
}

int warm_caches(const CacheOptions& options, const ServerAccess& access) {
  if (access.local) return report({ErrorCode::kUnavailable, std::string(kNeedsServer)});
  const auto path = model_path(options, access);
  if (!path) return report(path.error());
  const auto list = answer_json(access.send({.target = *path}));
  if (!list) return report(list.error());
  int code = 0;
  ApiJson results = ApiJson::array();
  std::string lines;
  for (const ApiJson& cache : wanted_caches(*list, options.names)) {
    const std::string name = text_field(cache, "cache_name");
    const auto made =
        send_with_progress(access, *path + "/generate-binary", {{"cache_name", name}, {"stream", true}}, name);
    const std::string fault = made ? missing_state(*made) : made.error().message;
    if (!fault.empty()) code = 1;
    if (made) results.push_back(*made);
    if (!made) results.push_back({{"cache_name", name}, {"error", fault}});
    lines += name + ": " + (fault.empty() ? text_field(*made, "message") : fault) + "\n";
  }
  print(options, {{"object", "list"}, {"data", results}}, lines.empty() ? "There are no prompt caches.\n" : lines);
  return code;
}

}  // namespace rockllama
