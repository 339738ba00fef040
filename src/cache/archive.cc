#include "cache/archive.h"

#include <algorithm>
#include <utility>

#include "base/posix_file_system.h"
#include "cache/archive_manifest.h"

namespace rockllama {
namespace {

uint64_t text_bytes(const CacheArchive& archive) {
  uint64_t bytes = archive.cache.content.value_or("").size();
  for (const ArchivedAncestor& ancestor : archive.ancestors) bytes += ancestor.text.size();
  return bytes;
}

Status check_archivable(const CacheArchive& archive, size_t state_files) {
  if (archive.cache.states.size() != state_files) return fail(ErrorCode::kInternal, "a state has no file");
  if (archive.ancestors.size() > kMostAncestors) {
    return fail(ErrorCode::kInvalidArgument, "it continues more caches than an archive holds");
  }
  if (text_bytes(archive) > kLargestArchiveText) {
    return fail(ErrorCode::kTooLarge, "its text is larger than the 16 MiB that an archive holds");
  }
  return {};
}

tl::unexpected<Error> not_whole(const char* what) {
  return fail(ErrorCode::kInvalidArgument, std::string("this is no whole archive of a prompt cache: ") + what);
}

// Reads one archive, in order.
class ArchiveReader {
 public:
  explicit ArchiveReader(const ByteSource& source) : source_(source), tar_(&source) {}

  Result<OpenArchive> read() {
    auto manifest = read_manifest();
    if (!manifest) return fail(manifest.error());
    OpenArchive open{.archive = std::move(manifest->archive), .payloads = {}};
    CacheArchive& archive = open.archive;
    auto text = read_text(kTextEntry, manifest->text);
    if (!text) return fail(text.error());
    archive.cache.content = std::move(*text);
    for (size_t i = 0; i < archive.ancestors.size(); ++i) {
      auto ancestor = read_text(ancestor_entry(i), manifest->ancestor_texts[i]);
      if (!ancestor) return fail(ancestor.error());
      archive.ancestors[i].text = std::move(*ancestor);
    }
    for (const StateRecord& state : archive.cache.states) {
      const auto payload = check_payload(state);
      if (!payload) return fail(payload.error());
      open.payloads.push_back(*payload);
    }
    if (const auto end = tar_.next(); !end || *end) return not_whole("something follows its last entry");
    return open;
  }

 private:
  Result<Manifest> read_manifest() {
    const auto entry = tar_.next();
    if (!entry) return rejected(entry.error());
    if (!*entry || (*entry)->name != kManifestEntry) return not_whole("it does not begin with a manifest");
    if ((*entry)->size > kLargestManifest) return not_whole("its manifest is too large");
    const auto bytes = read_bytes(**entry);
    if (!bytes) return fail(bytes.error());
    auto manifest = parse_manifest(*bytes);
    if (!manifest) return rejected(manifest.error());
    if (const Status fits = check_sizes(*manifest, (*entry)->size); !fits) return fail(fits.error());
    return manifest;
  }

  // Before anything else is read: the manifest accounts for every byte of the source.
  Status check_sizes(const Manifest& manifest, uint64_t manifest_size) {
    std::vector<uint64_t> sizes{manifest_size, manifest.text.size};
    uint64_t texts = manifest.text.size;
    for (const TextRecord& text : manifest.ancestor_texts) {
      sizes.push_back(text.size);
      texts += std::min(text.size, source_.size);
    }
    for (const StateRecord& state : manifest.archive.cache.states) sizes.push_back(state.size);
    uint64_t total = kTarEndBytes;
    for (const uint64_t size : sizes) {
      if (size > source_.size) return not_whole("it is shorter than its manifest says");
      total += kTarBlockBytes + size + tar_padding(size);
    }
    if (texts > kLargestArchiveText) return not_whole("its text is larger than 16 MiB");
    if (total != source_.size) return not_whole("it has another size than its manifest says");
    return {};
  }

  Result<TarEntry> expect(const std::string& name, uint64_t size) {
    const auto entry = tar_.next();
    if (!entry) return rejected(entry.error());
    if (!*entry || (*entry)->name != name || (*entry)->size != size) {
      return not_whole("its entries are not those of its manifest");
    }
    return **entry;
  }

  Result<std::string> read_bytes(const TarEntry& entry) {
    if (entry.size > source_.size) return not_whole("it breaks off");
    std::string bytes(entry.size, '\0');
    const auto got = source_.read(entry.offset, bytes);
    if (!got) return fail(got.error());
    if (*got != entry.size) return not_whole("it breaks off");
    return bytes;
  }

  Result<std::string> read_text(const std::string& name, const TextRecord& record) {
    const auto entry = expect(name, record.size);
    if (!entry) return fail(entry.error());
    auto text = read_bytes(*entry);
    if (text && hash_bytes(*text) != record.hash) return not_whole("the checksum of a text is wrong");
    return text;
  }

  // Where it begins.
  Result<uint64_t> check_payload(const StateRecord& state) {
    const auto entry = expect(state_entry(state), state.size);
    if (!entry) return fail(entry.error());
    Hasher hasher;
    const auto got = read_pieces(source_, entry->offset, state.size, [&](std::string_view piece) -> Status {
      hasher.update(piece);
      return {};
    });
    if (!got) return fail(got.error());
    if (*got != state.size) return not_whole("it breaks off");
    if (hasher.digest() != state.checksum) return not_whole("the checksum of a state is wrong");
    return entry->offset;
  }

  static tl::unexpected<Error> rejected(const Error& error) {
    return error.code == ErrorCode::kInvalidArgument ? not_whole(error.message.c_str()) : fail(error);
  }

  const ByteSource& source_;
  TarReader tar_;
};

}  // namespace

Result<ArchiveStream> ArchiveStream::make(const CacheArchive& archive, std::vector<UniqueFd> state_files) {
  if (const Status fits = check_archivable(archive, state_files.size()); !fits) return fail(fits.error());
  const std::string manifest = serialise_manifest(archive);
  if (manifest.size() > kLargestManifest) return fail(ErrorCode::kTooLarge, "its metadata is too large");
  ArchiveStream stream;
  Status added = stream.add_entry(kManifestEntry, manifest);
  if (added) added = stream.add_entry(kTextEntry, archive.cache.content.value_or(""));
  for (size_t i = 0; added && i < archive.ancestors.size(); ++i) {
    added = stream.add_entry(ancestor_entry(i), archive.ancestors[i].text);
  }
  for (size_t i = 0; added && i < state_files.size(); ++i) {
    added = stream.add_state(archive.cache.states[i], std::move(state_files[i]));
  }
  if (!added) return fail(added.error());
  stream.add(std::string(kTarEndBytes, '\0'));
  return stream;
}

void ArchiveStream::add(std::string bytes) {
  size_ += bytes.size();
  const uint64_t size = bytes.size();
  if (size > 0) parts_.push_back({.bytes = std::move(bytes), .file = {}, .size = size});
}

void ArchiveStream::add_padding(uint64_t size) { add(std::string(tar_padding(size), '\0')); }

Status ArchiveStream::add_entry(const std::string& name, std::string content) {
  auto header = tar_header(name, content.size());
  if (!header) return fail(header.error());
  const uint64_t size = content.size();
  add(std::move(*header));
  add(std::move(content));
  add_padding(size);
  return {};
}

Status ArchiveStream::add_state(const StateRecord& record, UniqueFd file) {
  auto header = tar_header(state_entry(record), record.size);
  if (!header) return fail(header.error());
  add(std::move(*header));
  parts_.push_back({.bytes = {}, .file = std::move(file), .size = record.size});
  size_ += record.size;
  add_padding(record.size);
  return {};
}

Result<std::string> ArchiveStream::next(size_t limit) {
  if (part_ == parts_.size()) return std::string();
  Part& part = parts_[part_];
  std::string bytes(std::min<uint64_t>(limit, part.size - done_), '\0');
  if (part.file.valid()) {
    const auto got = read_descriptor(part.file.get(), done_, bytes);
    if (!got) return fail(got.error());
    if (*got != bytes.size()) return fail(ErrorCode::kCorrupt, "the state file has become shorter");
  } else {
    bytes = part.bytes.substr(done_, bytes.size());
  }
  done_ += bytes.size();
  if (done_ == part.size) {
    part = {};
    ++part_;
    done_ = 0;
  }
  return bytes;
}

Result<OpenArchive> read_archive(const ByteSource& source) { return ArchiveReader(source).read(); }

}  // namespace rockllama
