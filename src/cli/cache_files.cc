// `rockllama cache export` and `import`.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/posix_file_system.h"
#include "cli/cache_commands.h"
#include "cli/progress_line.h"

namespace rockllama {
namespace {

constexpr double kMegabyte = 1048576;

tl::unexpected<Error> file_error(const std::string& file) {
  return fail(ErrorCode::kIo, file + ": " + std::strerror(errno));
}

// Asks for the archive and writes it to `fd` as it comes; how many bytes there were.
Result<uint64_t> download(const ServerAccess& access, const std::string& target, int fd, const std::string& what) {
  ProgressLine progress(what);
  uint64_t done = 0, total = 0;
  Status written;
  http::ClientRequest request{.target = target};
  request.on_length = [&](uint64_t bytes) { total = bytes; };
  request.on_piece = [&](std::string_view piece) {
    written = write_descriptor(fd, piece);
    done += piece.size();
    progress.update(static_cast<double>(done) / kMegabyte, static_cast<double>(total) / kMegabyte, "MB");
    return written.has_value();
  };
  const auto response = access.send(request);
  if (!written) return fail(written.error());
  if (!response) return fail(response.error());
  if (response->status != 200) return fail(answer_json(response).error());
  return done;
}

// Into a file beside `file` first: what breaks off leaves nothing under its name.
Result<uint64_t> download_to_file(const ServerAccess& access, const std::string& target, const std::string& file,
                                  const std::string& what) {
  const std::string part = file + ".part";
  UniqueFd fd(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd.valid()) return file_error(part);
  auto bytes = download(access, target, fd.get(), what);
  if (bytes && (::fsync(fd.get()) != 0 || ::rename(part.c_str(), file.c_str()) != 0)) bytes = file_error(file);
  if (!bytes) ::unlink(part.c_str());
  return bytes;
}

// A file without a name that holds what a pipe gives.
Result<UniqueFd> spool_pipe(int pipe, uint64_t limit) {
  std::FILE* const file = std::tmpfile();
  if (file == nullptr) return file_error("a temporary file");
  UniqueFd fd(::fcntl(::fileno(file), F_DUPFD_CLOEXEC, 0));
  std::fclose(file);
  std::string piece(size_t{1} << 20, '\0');
  for (uint64_t done = 0;;) {
    const ssize_t got = ::read(pipe, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error("standard input");
    if (got == 0) return fd;
    done += static_cast<uint64_t>(got);
    if (done > limit) return fail(ErrorCode::kTooLarge, "standard input is larger than cache.import_limit_mib");
    const Status written = write_descriptor(fd.get(), {piece.data(), static_cast<size_t>(got)});
    if (!written) return fail(written.error());
  }
}

Result<UniqueFd> open_input(const std::string& file, uint64_t limit) {
  if (file == "-" && ::isatty(STDIN_FILENO) == 1) {
    return fail(ErrorCode::kInvalidArgument, "import needs an archive: name its file, or redirect one to it");
  }
  UniqueFd fd(file == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : ::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return file_error(file);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return file_error(file);
  if (S_ISREG(info.st_mode)) return fd;
  if (S_ISDIR(info.st_mode)) return fail(ErrorCode::kIo, file + ": is a folder");
  return spool_pipe(fd.get(), limit);
}

std::string import_query(const CacheOptions& options) {
  std::string query;
  if (!options.new_name.empty()) query += "?name=" + percent_encoded(options.new_name);
  if (options.no_overwrite) query += query.empty() ? "?overwrite=false" : "&overwrite=false";
  return query;
}

std::string imported_text(const ApiJson& answer) {
  std::string text = text_field(answer, "cache_name") + ": " + text_field(answer, "message") + "\n";
  for (const ApiJson& state : list_field(answer, "states")) {
    const std::string reason = text_field(state, "reason");
    text += "  " + text_field(state, "format") + " state " + text_field(state, "status") +
            (reason.empty() ? "" : ": " + reason) + "\n";
  }
  return text;
}

}  // namespace

int export_cache(const CacheOptions& options, const ServerAccess& access) {
  const bool to_stdout = options.output.empty() || options.output == "-";
  if (to_stdout && ::isatty(STDOUT_FILENO) == 1) {
    return report({ErrorCode::kInvalidArgument, "an archive is no text for a terminal: redirect it, or name -o FILE"});
  }
  auto path = cache_path(options, access);
  if (!path) return report(path.error());
  *path += options.no_states ? "/export?states=false" : "/export";
  const auto bytes = to_stdout ? download(access, *path, STDOUT_FILENO, options.name)
                               : download_to_file(access, *path, options.output, options.name);
  if (!bytes) return report(bytes.error());
  if (to_stdout) return 0;
  print(options, {{"object", "cache.exported"}, {"file", options.output}, {"bytes", *bytes}},
        options.name + " is in " + options.output + "\n");
  return 0;
}

int import_cache(const CacheOptions& options, const ServerAccess& access) {
  const auto fd = open_input(options.input, access.import_limit_bytes);
  if (!fd) return report(fd.error());
  const auto path = model_path(options, access);
  if (!path) return report(path.error());
  const auto info = stat_descriptor(fd->get());
  if (!info) return report(info.error());
  ProgressLine progress(options.input == "-" ? "import" : options.input);
  http::ClientRequest request{.method = "POST", .target = *path + "/import" + import_query(options)};
  request.body_file = fd->get();
  request.body_bytes = info->size;
  request.on_sent = [&](uint64_t bytes) {
    progress.update(static_cast<double>(bytes) / kMegabyte, static_cast<double>(info->size) / kMegabyte, "MB");
  };
  const auto answer = answer_json(access.send(request));
  if (!answer) return report(answer.error());
  print(options, *answer, imported_text(*answer));
  return 0;
}

}  // namespace rockllama
