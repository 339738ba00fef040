#include "cache/tar.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

namespace rockllama {
namespace {

constexpr uint64_t kPieceBytes = 256 << 10;

using EntryPtr = std::unique_ptr<archive_entry, decltype(&archive_entry_free)>;
using WriterPtr = std::unique_ptr<archive, decltype(&archive_write_free)>;
using ReaderPtr = std::unique_ptr<archive, decltype(&archive_read_free)>;

// Takes a header and refuses what libarchive writes at its end: the content is the caller's to write.
struct HeaderBytes {
  std::string bytes{};
  bool whole = false;
};

la_ssize_t collect(archive*, void* to, const void* bytes, size_t size) {
  auto* const header = static_cast<HeaderBytes*>(to);
  if (header->whole) return ARCHIVE_FATAL;
  header->bytes.append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

tl::unexpected<Error> not_plain(const char* what) { return fail(ErrorCode::kInvalidArgument, what); }

}  // namespace

Result<std::string> tar_header(const std::string& name, uint64_t size) {
  HeaderBytes header;
  if (size > static_cast<uint64_t>(std::numeric_limits<la_int64_t>::max())) {
    return fail(ErrorCode::kInternal, "too large for an archive");
  }
  const EntryPtr entry(archive_entry_new(), archive_entry_free);
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0600);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
  {
    const WriterPtr writer(archive_write_new(), archive_write_free);
    archive_write_set_format_ustar(writer.get());
    archive_write_add_filter_none(writer.get());
    archive_write_set_bytes_per_block(writer.get(), 0);
    archive_write_open(writer.get(), &header, nullptr, collect, nullptr);
    if (archive_write_header(writer.get(), entry.get()) != ARCHIVE_OK) {
      return fail(ErrorCode::kInternal, "this does not fit into an archive");
    }
    header.whole = true;
  }
  header.bytes.resize(kTarBlockBytes);
  return header.bytes;
}

Result<uint64_t> read_pieces(const ByteSource& source, uint64_t offset, uint64_t size,
                             const std::function<Status(std::string_view)>& take) {
  std::string piece(std::min<uint64_t>(kPieceBytes, size), '\0');
  uint64_t done = 0;
  while (done < size) {
    const auto got = source.read(offset + done, {piece.data(), std::min<uint64_t>(piece.size(), size - done)});
    if (!got) return fail(got.error());
    if (*got == 0) break;
    if (const Status taken = take({piece.data(), *got}); !taken) return fail(taken.error());
    done += *got;
  }
  return done;
}

struct TarReader::Impl {
  explicit Impl(const ByteSource* bytes) : source(bytes), reader(archive_read_new(), archive_read_free) {
    archive_read_support_filter_none(reader.get());
    archive_read_support_format_tar(reader.get());
    archive_read_set_callback_data(reader.get(), this);
    archive_read_set_read_callback(reader.get(), read);
    archive_read_set_skip_callback(reader.get(), skip);
    opened = archive_read_open1(reader.get()) == ARCHIVE_OK;
  }

  static la_ssize_t read(archive* reader, void* self, const void** bytes) {
    auto* const impl = static_cast<Impl*>(self);
    const auto count = impl->source->read(impl->offset, impl->buffer);
    if (!count) {
      impl->error = count.error();
      archive_set_error(reader, EIO, "not readable");
      return ARCHIVE_FATAL;
    }
    impl->offset += *count;
    *bytes = impl->buffer.data();
    return static_cast<la_ssize_t>(*count);
  }

  static la_int64_t skip(archive*, void* self, la_int64_t wanted) {
    auto* const impl = static_cast<Impl*>(self);
    const uint64_t left = impl->source->size - std::min(impl->offset, impl->source->size);
    const uint64_t skipped = std::min(static_cast<uint64_t>(std::max<la_int64_t>(wanted, 0)), left);
    impl->offset += skipped;
    return static_cast<la_int64_t>(skipped);
  }

  const ByteSource* source;
  uint64_t offset = 0;  // of the next read
  std::optional<Error> error{};
  std::array<char, 8 << 10> buffer{};
  ReaderPtr reader;  // the last member: its end may still call back
  bool opened = false;
};

TarReader::TarReader(const ByteSource* source) : impl_(std::make_unique<Impl>(source)) {}
TarReader::~TarReader() = default;

Result<std::optional<TarEntry>> TarReader::next() {
  archive* const reader = impl_->reader.get();
  archive_entry* entry = nullptr;
  const int result = impl_->opened ? archive_read_next_header(reader, &entry) : ARCHIVE_FATAL;
  if (result == ARCHIVE_EOF) return std::optional<TarEntry>();
  if (impl_->error) return fail(*impl_->error);
  if (result != ARCHIVE_OK) return not_plain("it is no tar, or it is damaged");
  if (archive_format(reader) != ARCHIVE_FORMAT_TAR_USTAR) return not_plain("it is no plain tar (ustar)");
  const bool regular = archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == nullptr &&
                       archive_entry_symlink(entry) == nullptr && archive_entry_sparse_count(entry) == 0;
  const char* const name = archive_entry_pathname(entry);
  if (!regular || name == nullptr) return not_plain("it holds something else than regular files");
  if (archive_entry_size_is_set(entry) == 0 || archive_entry_size(entry) < 0) return not_plain("a size is missing");
  return TarEntry{name, static_cast<uint64_t>(archive_entry_size(entry)),
                  static_cast<uint64_t>(archive_read_header_position(reader)) + kTarBlockBytes};
}

}  // namespace rockllama
