#include "cli/cache_options.h"

#include "cli/cache_commands.h"

namespace rockllama {
namespace {

// One subcommand; `command` is chosen when it is called.
CLI::App* add(CLI::App* parent, CacheOptions* options, CacheCommand* chosen, const char* name, const char* help,
              CacheCommand command) {
  CLI::App* app = parent->add_subcommand(name, help);
  app->final_callback([chosen, command] { *chosen = command; });
  app->add_flag("--json", options->json, "print the API's JSON");
  app->add_option("--url", options->access.url, "server to ask, as in http://127.0.0.1:8080");
  app->add_option("--api-key", options->access.api_key, "key of the server; else ROCKLLAMA_API_KEY");
  app->add_option("--config", options->access.flags.config_file, "settings file (config/rockllama.json)");
  const auto setting = [&](const char* flag, const char* key, const char* what) {
    app->add_option_function<std::string>(
        flag, [options, key](const std::string& value) { options->access.flags.settings[key] = value; }, what);
  };
  setting("--cache", "cache.folder", "folder of the prompt caches");
  setting("--models", "models.folder", "folder with one folder per model");
  return app;
}

CLI::App* with_model(CLI::App* app, CacheOptions* options) {
  app->add_option("--model,-m", options->model, "name of the model; may be left out when there is one");
  return app;
}

CLI::App* with_name(CLI::App* app, CacheOptions* options) {
  app->add_option("name", options->name, "name of the cache")->required();
  return with_model(app, options);
}

void add_create(CLI::App* cache, CacheOptions* options, CacheCommand* chosen) {
  CLI::App* app = with_name(add(cache, options, chosen, "create", "make or replace a cache", create_cache), options);
  CLI::Option_group* text = app->add_option_group("content", "what it holds; one of these");
  text->add_option("--prompt", options->prompt, "its text");
  text->add_option("--file", options->file, "file with its text; - = standard input");
  text->add_option("--messages", options->messages, "JSON file with a list of messages, or {messages, tools}");
  text->require_option(1);
  app->add_option("--parent", options->parent, "cache that this one continues");
  app->add_option("--ttl", options->ttl_s, "seconds after which it is removed")->check(CLI::PositiveNumber);
  app->add_option("--format", options->format, "which state: both, chat, raw")
      ->check(CLI::IsMember({"both", "chat", "raw"}));
  app->add_flag("--pinned", options->pinned, "never evicted");
  app->add_flag("--no-overwrite", options->no_overwrite, "fail where the name exists");
  app->add_flag("--retry-binary", options->retry_binary, "also where saving a state ended the runtime before");
  app->add_flag("--text-only", options->text_only, "without a state; needs no running server");
}

void add_files(CLI::App* cache, CacheOptions* options, CacheCommand* chosen) {
  CLI::App* out = with_name(add(cache, options, chosen, "export", "put a cache into one file", export_cache), options);
  out->add_option("-o,--output", options->output, "file; else standard output");
  out->add_flag("--no-states", options->no_states, "the text alone");
  CLI::App* in = with_model(add(cache, options, chosen, "import", "take a cache out of a file", import_cache), options);
  in->add_option("file", options->input, "file; - = standard input");
  in->add_option("--name", options->new_name, "name of the cache here");
  in->add_flag("--no-overwrite", options->no_overwrite, "fail where the name exists");
}

}  // namespace

void add_cache_commands(CLI::App* app, CacheOptions* options, CacheCommand* chosen) {
  CLI::App* cache = app->add_subcommand("cache", "prompt caches: of a running server, or of the folder");
  cache->require_subcommand(1);
  with_model(add(cache, options, chosen, "list", "all caches", list_caches), options);
  with_name(add(cache, options, chosen, "show", "one cache and its text", show_cache), options);
  add_create(cache, options, chosen);
  CLI::App* rm = with_name(add(cache, options, chosen, "rm", "delete a cache", remove_cache), options);
  rm->add_flag("--cascade", options->cascade, "with the caches that continue it");
  rm->add_flag("--binary-only", options->binary_only, "its states alone; the text stays");
  add_files(cache, options, chosen);
  CLI::App* warm = with_model(
      add(cache, options, chosen, "warm", "make the states that are missing or stale", warm_caches), options);
  warm->add_option("names", options->names, "names of caches; none = all");
  CLI::App* models = add(app, options, chosen, "models", "the models that are there", list_models);
  models->require_subcommand(0, 1);
  add(models, options, chosen, "list", "the models that are there", list_models);
}

int run_cache_command(CacheCommand command, const CacheOptions& options, const OpenFolder& open_folder) {
  const auto access = open_access(options.access, open_folder);
  if (!access) return report(access.error());
  return command(options, *access);
}

}  // namespace rockllama
