// The archive codec: round trip, truncation, flipped bytes, and archives that somebody made up.
#include "cache/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <random>
#include <set>

#include "base/posix_file_system.h"
#include "cache/archive_manifest.h"
#include "tests/support/archive_fixture.h"

namespace rockllama {
namespace {

using test::archive_bytes;
using test::sample_archive;
using test::source_of;
using testing::HasSubstr;
using testing::SizeIs;

Result<OpenArchive> read_bytes(const std::string& bytes) { return read_archive(source_of(bytes)); }

// A tar block by hand, for what libarchive would not write: name, size field, type, magic.
struct Block {
  std::string name = "manifest.json";
  std::string size = "00000000000";
  char type = '0';
  std::string magic = std::string(
      "ustar\0"
      "00",
      8);
  std::string link{};
};

std::string block_of(const Block& wanted) {
  std::string block(kTarBlockBytes, '\0');
  const auto put = [&](size_t place, const std::string& bytes) { block.replace(place, bytes.size(), bytes); };
  put(0, wanted.name);
  put(100, "0000600");
  put(108, "0000000");
  put(116, "0000000");
  put(124, wanted.size);
  put(136, "00000000000");
  put(148, "        ");
  block[156] = wanted.type;
  put(157, wanted.link);
  put(257, wanted.magic);
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  char digits[8];
  std::snprintf(digits, sizeof digits, "%06o", sum);
  put(148, digits);
  return block;
}

std::string octal(uint64_t size) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "%011llo", static_cast<unsigned long long>(size));
  return digits;
}

std::string entry_of(const std::string& name, const std::string& content) {
  return block_of({.name = name, .size = octal(content.size())}) + content +
         std::string(tar_padding(content.size()), '\0');
}

const std::string kEnd(kTarEndBytes, '\0');

TEST(Archive, IsReadAsItWasWritten) {
  const std::string bytes = archive_bytes(sample_archive());
  const auto open = read_bytes(bytes);
  ASSERT_TRUE(open) << open.error().message;
  const CacheArchive& archive = open->archive;
  EXPECT_EQ(archive.cache.cache_name, "coding");
  EXPECT_EQ(archive.cache.content, "You are a careful programmer.\n");
  EXPECT_EQ(archive.cache.parent, "house");
  EXPECT_EQ(archive.ancestors, sample_archive().archive.ancestors);
  ASSERT_THAT(archive.cache.states, SizeIs(2));
  StateRecord expected = sample_archive().archive.cache.states[1];
  expected.file = "state.raw";
  EXPECT_EQ(archive.cache.states[1], expected);
  EXPECT_EQ(bytes.substr(open->payloads[1], expected.size), sample_archive().payloads[1]);
}

TEST(Archive, HoldsNoStateWhereNoneIsWanted) {
  auto sample = sample_archive();
  sample.archive.cache.states.clear();
  sample.payloads.clear();
  const auto open = read_bytes(archive_bytes(sample));
  ASSERT_TRUE(open) << open.error().message;
  EXPECT_TRUE(open->payloads.empty());
}

TEST(Archive, ComesInPiecesOfTheSizeThatIsAskedFor) {
  const std::string whole = archive_bytes(sample_archive());
  for (const size_t limit : {1, 511, 512, 100000}) EXPECT_EQ(archive_bytes(sample_archive(), limit), whole) << limit;
}

TEST(Archive, BreaksOffWhereAStateFileHasBecomeShorter) {
  auto sample = sample_archive();
  sample.payloads[0].pop_back();
  auto stream = test::stream_of(sample);
  ASSERT_TRUE(stream);
  Result<std::string> piece;
  do {
    piece = stream->next(1 << 20);
  } while (piece && !piece->empty());
  EXPECT_FALSE(piece);
}

TEST(Archive, TakesNoTextThatIsTooLarge) {
  auto sample = sample_archive();
  sample.archive.cache.content = std::string(kLargestArchiveText + 1, 'x');
  EXPECT_EQ(test::stream_of(sample).error().code, ErrorCode::kTooLarge);
}

TEST(Archive, IsRefusedWhereverItBreaksOff) {
  const std::string bytes = archive_bytes(sample_archive());
  std::mt19937 random(3);
  std::set<size_t> sizes;
  for (size_t block = 0; block < bytes.size(); block += kTarBlockBytes) sizes.insert({block, block + 1, block + 511});
  for (int i = 0; i < 300; ++i) sizes.insert(random() % bytes.size());
  for (const size_t size : sizes) {
    const auto open = read_bytes(bytes.substr(0, size));
    ASSERT_FALSE(open) << size;
    ASSERT_EQ(open.error().code, ErrorCode::kInvalidArgument) << open.error().message;
  }
  EXPECT_FALSE(read_bytes(bytes + "x"));
  EXPECT_FALSE(read_bytes(bytes + std::string(512, '\0')));
}

// Zeros behind a name and blanks in the manifest carry nothing; every other byte of headers and manifest does.
TEST(Archive, IsRefusedOrTheSameWhereAByteWasFlipped) {
  auto sample = sample_archive();
  sample.archive.ancestors.clear();
  sample.archive.cache.states.pop_back();
  sample.payloads.pop_back();
  const std::string bytes = archive_bytes(sample);
  const auto expected = read_bytes(bytes);
  ASSERT_TRUE(expected);
  size_t refused = 0;
  for (size_t place = 0; place < expected->payloads[0]; ++place) {
    std::string changed = bytes;
    changed[place] = static_cast<char>(changed[place] ^ (1 << place % 8));
    const auto open = read_bytes(changed);
    refused += open ? 0 : 1;
    ASSERT_TRUE(!open || open->archive.cache == expected->archive.cache) << place;
  }
  EXPECT_GT(refused, expected->payloads[0] / 2);
}

TEST(Archive, IsNotReadFromRandomBytes) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::string bytes(random() % 4096, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    EXPECT_FALSE(read_bytes(bytes));
  }
}

class HostileArchive : public testing::Test {
 protected:
  const test::SampleArchive sample_ = sample_archive();
  const std::string manifest_ = serialise_manifest(sample_.archive);

  // The sample by hand, with one entry more or another one.
  [[nodiscard]] std::string with(const std::string& first, const std::string& last = "") const {
    std::string bytes = first + entry_of("manifest.json", manifest_);
    bytes += entry_of("text", *sample_.archive.cache.content);
    bytes += entry_of("parents/1", sample_.archive.ancestors[0].text);
    bytes += entry_of("parents/2", sample_.archive.ancestors[1].text);
    bytes += entry_of("state.chat", sample_.payloads[0]) + entry_of("state.raw", sample_.payloads[1]);
    return bytes + last + kEnd;
  }
};

TEST_F(HostileArchive, StartsFromOneThatIsFine) { EXPECT_TRUE(read_bytes(with(""))); }

TEST_F(HostileArchive, EntriesThatTheManifestDoesNotNameAreRefused) {
  for (const char* name : {"../x", "/etc/passwd", "manifest.json", "text", "state.chat", "x", ".", "./manifest.json"}) {
    EXPECT_FALSE(read_bytes(with("", entry_of(name, "x")))) << name;
    EXPECT_FALSE(read_bytes(with(entry_of(name, "x")))) << name;
    EXPECT_FALSE(read_bytes(entry_of(name, manifest_) + kEnd)) << name;
  }
}

TEST_F(HostileArchive, WhatIsNoRegularFileIsRefused) {
  for (const char type : {'1', '2', '3', '4', '5', '6', 'S', 'x', 'g', 'L', 'K', 'V', 'D', 'M', 'N', 'A'}) {
    const std::string entry = block_of({.type = type, .link = "/etc/passwd"});
    EXPECT_FALSE(read_bytes(entry + with(""))) << type;
    EXPECT_FALSE(read_bytes(entry + kEnd)) << type;
  }
}

TEST_F(HostileArchive, ExtendedHeadersAreRefused) {
  const std::string records[] = {"17 path=../evil\n", "27 GNU.sparse.major=1\n", "25 size=99999999999999\n",
                                 "30 hdrcharset=BINARY\n"};
  for (const std::string& record : records) {
    for (const char type : {'x', 'g'}) {
      const std::string pax = block_of({.name = "PaxHeader", .size = octal(record.size()), .type = type}) + record +
                              std::string(tar_padding(record.size()), '\0');
      EXPECT_FALSE(read_bytes(with(pax))) << record;
    }
  }
  // A header that claims to be huge, of any kind.
  for (const char type : {'x', 'g', 'L', 'K'}) {
    EXPECT_FALSE(read_bytes(block_of({.size = "77777777777", .type = type}) + with(""))) << type;
  }
}

TEST_F(HostileArchive, OtherTarsAreRefused) {
  for (const std::string& magic : {std::string("ustar  \0", 8), std::string(8, '\0')}) {
    std::string bytes = with("");
    bytes.replace(0, kTarBlockBytes, block_of({.size = octal(manifest_.size()), .magic = magic}));
    EXPECT_FALSE(read_bytes(bytes));
  }
}

TEST_F(HostileArchive, HugeDeclaredSizesReadNothing) {
  EXPECT_FALSE(read_bytes(block_of({.size = "77777777777"}) + kEnd));
  // Base 256: as large as a size can be, and a negative one.
  EXPECT_FALSE(read_bytes(block_of({.size = std::string("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12)}) + kEnd));
  EXPECT_FALSE(read_bytes(block_of({.size = std::string(12, '\xff')}) + kEnd));
}

TEST_F(HostileArchive, AManifestThatLiesAboutSizesIsRefused) {
  for (const uint64_t size : {uint64_t{0}, uint64_t{1} << 40, ~uint64_t{0}, ~uint64_t{0} - 511}) {
    auto lie = sample_;
    lie.archive.cache.states[0].size = size;
    const std::string manifest = serialise_manifest(lie.archive);
    std::string bytes = with("");
    bytes.replace(0, kTarBlockBytes + manifest_.size() + tar_padding(manifest_.size()),
                  entry_of("manifest.json", manifest));
    EXPECT_FALSE(read_bytes(bytes)) << size;
  }
}

TEST_F(HostileArchive, TenThousandEntriesAreRefusedAtOnce) {
  std::string bytes;
  for (int i = 0; i < 10'000; ++i) bytes += entry_of("text", "x");
  EXPECT_FALSE(read_bytes(with("", bytes)));
  EXPECT_FALSE(read_bytes(with(bytes)));
}

TEST_F(HostileArchive, ACompressedArchiveIsRefused) {
  // gzip of nothing, xz and zstd magic: only plain tar is looked for.
  for (const std::string& magic : {std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0", 20),
                                   std::string("\xfd"
                                               "7zXZ\0",
                                               6),
                                   std::string("\x28\xb5\x2f\xfd", 4)}) {
    EXPECT_FALSE(read_bytes(magic + with("")));
  }
}

TEST(ArchiveManifest, RefusesNamesThatNoCacheCanHave) {
  for (const char* name : {"", "..", "../x", "a/b", ".hidden", "a~b"}) {
    auto sample = sample_archive();
    sample.archive.cache.cache_name = name;
    EXPECT_FALSE(parse_manifest(serialise_manifest(sample.archive))) << name;
    sample = sample_archive();
    sample.archive.ancestors[0].name = name;
    EXPECT_FALSE(parse_manifest(serialise_manifest(sample.archive))) << name;
  }
}

TEST(ArchiveManifest, RefusesACacheThatContinuesItself) {
  auto sample = sample_archive();
  sample.archive.ancestors[1].name = "coding";
  EXPECT_FALSE(parse_manifest(serialise_manifest(sample.archive)));
}

TEST(ArchiveManifest, RefusesTwoStatesOfOneFormat) {
  auto sample = sample_archive();
  sample.archive.cache.states[1].format = StateFormat::kChat;
  EXPECT_FALSE(parse_manifest(serialise_manifest(sample.archive)));
}

TEST(ArchiveManifest, RefusesStatesThatAreNotReadyOrOfAnotherEngine) {
  auto sample = sample_archive();
  sample.archive.cache.states[0].status = StateStatus::kStale;
  EXPECT_FALSE(parse_manifest(serialise_manifest(sample.archive)));
  sample = sample_archive();
  sample.archive.cache.states[0].engine = "../x";
  EXPECT_FALSE(parse_manifest(serialise_manifest(sample.archive)));
}

TEST(ArchiveManifest, RefusesDeepJsonAndOtherVersions) {
  EXPECT_FALSE(parse_manifest(std::string(100'000, '[')));
  EXPECT_FALSE(parse_manifest("{}"));
  EXPECT_FALSE(parse_manifest("[]"));
  EXPECT_FALSE(parse_manifest(R"({"object": "prompt_cache.archive", "format_version": 2})"));
}

}  // namespace
}  // namespace rockllama
