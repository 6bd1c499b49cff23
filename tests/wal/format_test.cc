// SPDX-License-Identifier: Apache-2.0
//
// The example of wal/FORMAT.md, byte for byte, and inputs that only someone who knows the format can write.

#include <cctype>
#include <cstring>
#include <fstream>
#include <sstream>

#include <scree/checksum.h>
#include <scree/coding.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "log_driver.h"

namespace scree {
namespace {

using test::replay_all;

constexpr std::uint64_t kExampleId = 0x0123456789abcdef;

std::string bytes_of_the_example() {
  std::ifstream page(SCREE_WAL_FORMAT);
  std::string bytes;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line == "```hex") {
      inside = true;
    } else if (inside && line == "```") {
      inside = false;
    } else if (inside) {
      std::istringstream words(line);
      std::string word;
      words >> word;  // the offset
      EXPECT_EQ(std::stoul(word, nullptr, 16), bytes.size());
      while (words >> word) bytes.push_back(static_cast<char>(std::stoi(word, nullptr, 16)));
    }
  }
  return bytes;
}

void write_file(FileSystem* file_system, const std::string& name, std::string_view bytes) {
  std::unique_ptr<File> file;
  ASSERT_TRUE(file_system->open(test::kLogDirectory + "/" + name, OpenMode::kCreate, &file).is_ok());
  ASSERT_TRUE(file->truncate(0).is_ok());
  ASSERT_TRUE(file->append(bytes).is_ok());
}

// Written from the tables of FORMAT.md, not with the product's code.
std::string header(std::uint32_t version, std::uint64_t begin, std::uint64_t capacity, std::uint64_t incarnation,
                   std::uint64_t continues_from) {
  std::string rest;
  put_fixed32(&rest, version);
  put_fixed32(&rest, 0);
  for (const std::uint64_t value : {test::kLogId, begin, capacity, incarnation, continues_from}) {
    put_fixed64(&rest, value);
  }
  std::string bytes = "SCREELOG";
  put_fixed64(&bytes, checksum64(rest, 0));
  return bytes + rest;
}

std::string record(int type, int flags, std::uint64_t position, std::uint64_t mark, const std::string& payload,
                   std::optional<std::uint32_t> length = {}) {
  std::string rest;
  put_fixed32(&rest, length.value_or(static_cast<std::uint32_t>(payload.size())));
  rest.push_back(static_cast<char>(type));
  rest.push_back(static_cast<char>(flags));
  put_fixed16(&rest, 0);
  put_fixed64(&rest, position);
  put_fixed64(&rest, mark);
  rest += payload;
  std::string bytes;
  put_fixed64(&bytes, checksum64(rest, test::kLogId));
  bytes += rest;
  bytes.resize((bytes.size() + 7) / 8 * 8);
  return bytes;
}

std::string open_record(std::uint64_t position, std::uint64_t incarnation, std::uint64_t continues_from) {
  std::string payload;
  put_fixed64(&payload, incarnation);
  put_fixed64(&payload, continues_from);
  return record(1, 0, position, 0, payload);
}

std::string padded(std::string bytes, std::size_t capacity) {
  bytes.resize(capacity);
  return bytes;
}

constexpr const char* kFirst = "0000000000000000.log";

TEST(LogFormat, the_example_of_the_page_is_what_is_written) {
  const auto file_system = test::fresh_file_system();
  std::unique_ptr<Log> log;
  ASSERT_TRUE(Log::open(test::log_options(file_system.get(), 256, test::kLogDirectory, kExampleId), {}, &log).is_ok());
  Reservation reservation;
  ASSERT_TRUE(test::append(*log, "hello", &reservation).is_ok());
  ASSERT_TRUE(log->wait(reservation.end, Durability::kDisk).is_ok());
  ASSERT_TRUE(test::append(*log, "scree", &reservation).is_ok());
  ASSERT_TRUE(log->roll(&reservation).is_ok());
  ASSERT_TRUE(log->wait(reservation.end, Durability::kProcess).is_ok());
  std::string written;
  ASSERT_TRUE(read_file(file_system.get(), test::kLogDirectory + "/" + kFirst, 1 << 20, &written).is_ok());
  EXPECT_EQ(written, padded(bytes_of_the_example(), 256));
}

TEST(LogFormat, the_example_of_the_page_is_what_is_read) {
  const auto file_system = test::fresh_file_system();
  const std::string example = bytes_of_the_example();
  ASSERT_EQ(example.size(), 0xe0u);
  write_file(file_system.get(), kFirst, padded(example, 256));
  const auto replayed =
      replay_all(file_system.get(), test::kLogDirectory, 0, RecoveryMode::kAbsoluteConsistency, kExampleId);
  ASSERT_TRUE(replayed.status.is_ok()) << replayed.status.to_string();
  ASSERT_EQ(replayed.records.size(), 2u);
  EXPECT_EQ(replayed.records[0].payload, "hello");
  EXPECT_EQ(replayed.records[0].begin, 0x70u);
  EXPECT_EQ(replayed.records[1].payload, "scree");
  EXPECT_EQ(replayed.records[1].end, 0xc0u);
  EXPECT_EQ(replayed.report.tail.incarnation, 2u);
  EXPECT_EQ(replayed.report.tail.recovered_to, 0xc0u);
}

TEST(LogFormat, void_records_take_positions_and_mean_nothing) {
  const auto file_system = test::fresh_file_system();
  write_file(file_system.get(), kFirst,
             padded(header(1, 0, 512, 1, 0) + open_record(64, 1, 0) + record(4, 0, 112, 0, "void") +
                        record(2, 0, 152, 0, "batch"),
                    512));
  const auto replayed = replay_all(file_system.get(), test::kLogDirectory, 0, RecoveryMode::kAbsoluteConsistency);
  ASSERT_TRUE(replayed.status.is_ok()) << replayed.status.to_string();
  ASSERT_EQ(replayed.records.size(), 1u);
  EXPECT_EQ(replayed.records[0].payload, "batch");
}

TEST(LogFormat, what_a_newer_version_wrote_is_refused_in_every_mode) {
  const std::string good = header(1, 0, 512, 1, 0) + open_record(64, 1, 0);
  for (const std::string& bytes : {header(2, 0, 512, 1, 0) + open_record(64, 1, 0), good + record(5, 0, 112, 0, "x"),
                                   good + record(2, 1, 112, 0, "x")}) {
    for (const RecoveryMode mode : {RecoveryMode::kPointInTimeRecovery, RecoveryMode::kTolerateCorruptedTailRecords,
                                    RecoveryMode::kAbsoluteConsistency}) {
      const auto file_system = test::fresh_file_system();
      write_file(file_system.get(), kFirst, padded(bytes, 512));
      const auto replayed = replay_all(file_system.get(), test::kLogDirectory, 0, mode);
      EXPECT_EQ(replayed.status.code(), StatusCode::kNotSupported);
      EXPECT_NE(replayed.status.message().find(kFirst), std::string_view::npos);
    }
  }
}

TEST(LogFormat, contradictions_with_good_checksums_are_damage) {
  const std::string good = header(1, 0, 512, 1, 0) + open_record(64, 1, 0);
  const std::vector<std::string> contradictions = {
      good + record(2, 0, 112, 0, "x", 1000),                                // longer than the segment
      good + record(2, 0, 112, 0, "x", 0xffffffff),                          // much longer
      good + record(2, 0, 120, 0, "x"),                                      // of another place
      good + record(2, 0, 112, 120, "x"),                                    // knows of later ones
      good + open_record(112, 2, 0),                                         // an incarnation inside a segment
      header(1, 0, 511, 1, 0) + open_record(64, 1, 0),                       // a capacity that is no multiple of 8
      header(1, 0, 8, 1, 0) + open_record(64, 1, 0),                         // or holds nothing
      header(1, 0, ~0ull - 7, 1, 0) + open_record(64, 1, 0),                 // or everything
      header(1, 0, 512, 0, 0) + open_record(64, 0, 0),                       // no incarnation
      header(1, 0, 512, 1, 8) + open_record(64, 1, 8),                       // continues from what is not before it
      header(0, 0, 512, 1, 0) + open_record(64, 1, 0),                       // a version that never was
      header(1, 0, 512, 1, 0) + record(2, 0, 64, 0, std::string(408, 'x')),  // no room for a close record
  };
  for (std::size_t i = 0; i < contradictions.size(); ++i) {
    const auto file_system = test::fresh_file_system();
    write_file(file_system.get(), kFirst, padded(contradictions[i], 512));
    const auto strict = replay_all(file_system.get(), test::kLogDirectory, 0, RecoveryMode::kAbsoluteConsistency);
    EXPECT_TRUE(strict.status.is_corruption()) << i << ": " << strict.status.to_string();
    const auto lenient = replay_all(file_system.get());
    EXPECT_TRUE(lenient.status.is_ok()) << i << ": " << lenient.status.to_string();
    EXPECT_LE(lenient.records.size(), 1u);
  }
}

TEST(LogFormat, names_beyond_all_positions_are_refused) {
  for (const char* name : {"ffffffffffffffff.log", "2000000000000000.log"}) {
    const auto file_system = test::fresh_file_system();
    write_file(file_system.get(), name, "");
    EXPECT_TRUE(replay_all(file_system.get()).status.is_corruption());
  }
}

TEST(LogFormat, files_with_other_names_are_not_the_logs) {
  const auto file_system = test::fresh_file_system();
  for (const char* name :
       {"LOCK", "0.log", "000000000000000G.log", "0000000000000000.log.tmp", "000000000000000A.log"}) {
    write_file(file_system.get(), name, "anything");
  }
  const auto replayed = replay_all(file_system.get(), test::kLogDirectory, 0, RecoveryMode::kAbsoluteConsistency);
  EXPECT_TRUE(replayed.status.is_ok());
  EXPECT_EQ(replayed.report.segments, 0u);
}

// A payload full of frames that claim to stand where they stand, behind damage, is searched for marks.
TEST(LogFormat, look_alikes_in_a_payload_do_not_make_reading_slow) {
  constexpr std::size_t kBytes = std::size_t{8} << 20;
  std::string bytes = header(1, 0, kBytes, 1, 0) + open_record(64, 1, 0);
  bytes.resize(kBytes);
  for (std::size_t at = 128; at + 32 <= kBytes; at += 32) {
    encode_fixed32(bytes.data() + at + 8, static_cast<std::uint32_t>(kBytes - at - 32));
    bytes[at + 12] = 2;
    encode_fixed64(bytes.data() + at + 16, at);
  }
  const auto file_system = test::fresh_file_system();
  write_file(file_system.get(), kFirst, bytes);
  const auto replayed = replay_all(file_system.get());  // without a bound: a terabyte to checksum
  EXPECT_TRUE(replayed.status.is_ok());
  EXPECT_FALSE(replayed.report.damage.is_ok());
}

RC_GTEST_PROP(LogFormat, no_bytes_make_reading_fail_badly, ()) {
  const auto file_system = test::fresh_file_system();
  const auto whole = *rc::gen::arbitrary<bool>();
  std::string bytes = whole ? header(1, 0, 512, 1, 0) + open_record(64, 1, 0) : std::string();
  bytes += *rc::gen::arbitrary<std::string>();
  write_file(file_system.get(), kFirst, whole && *rc::gen::arbitrary<bool>() ? padded(bytes, 512) : bytes);
  write_file(file_system.get(), "0000000000000200.log", *rc::gen::arbitrary<std::string>());
  const auto replayed = replay_all(file_system.get());
  RC_ASSERT(replayed.status.is_ok());
  RC_ASSERT(replayed.records.empty());
}

}  // namespace
}  // namespace scree
