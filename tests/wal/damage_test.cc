// SPDX-License-Identifier: Apache-2.0
//
// Damages a small log of several segments and incarnations in every way, and reads it in every mode.

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "log_driver.h"

namespace scree {
namespace {

using test::replay_all;
using Files = std::map<std::string, std::string>;

constexpr RecoveryMode kModes[] = {RecoveryMode::kPointInTimeRecovery, RecoveryMode::kTolerateCorruptedTailRecords,
                                   RecoveryMode::kAbsoluteConsistency};

struct Written {
  std::string file;
  Position end;
  Position mark;  // what its writer knew to be durable
  std::string payload;
};

class LogDamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_log(test::kLogId, &files_, &written_);
    ASSERT_GE(files_.size(), 8u);
    const auto whole = read(files_, RecoveryMode::kAbsoluteConsistency);
    ASSERT_TRUE(whole.status.is_ok()) << whole.status.to_string();
    ASSERT_EQ(whole.records.size(), written_.size());
  }

  // Three lives; the second ends with a segment that was prepared and not used.
  static void write_log(std::uint64_t log_id, Files* files, std::vector<Written>* written) {
    const auto file_system = test::fresh_file_system();
    for (int life = 0; life < 3; ++life) {
      const auto found =
          replay_all(file_system.get(), test::kLogDirectory, 0, RecoveryMode::kAbsoluteConsistency, log_id);
      ASSERT_TRUE(found.status.is_ok());
      std::unique_ptr<Log> log;
      ASSERT_TRUE(
          Log::open(test::log_options(file_system.get(), 256, test::kLogDirectory, log_id), found.report.tail, &log)
              .is_ok());
      Position mark = life == 0 ? log->start() : 0;
      for (int i = 0; i < 9; ++i) {
        std::string payload = std::to_string(life) + ":" + std::to_string(i) + ":" +
                              std::string(static_cast<std::size_t>(i == 5 ? 300 : 7 * i), static_cast<char>('a' + i));
        Reservation reservation;
        ASSERT_TRUE(test::append(*log, payload, &reservation).is_ok());
        const bool sync = life != 1 && i % 3 == 1;
        ASSERT_TRUE(log->wait(reservation.end, sync ? Durability::kDisk : Durability::kProcess).is_ok());
        std::vector<std::string> names;
        ASSERT_TRUE(file_system->list(test::kLogDirectory, &names).is_ok());
        written->push_back({names.back(), reservation.end, mark, std::move(payload)});
        if (sync) mark = reservation.end;
      }
      if (life == 1) {
        Reservation closed;
        ASSERT_TRUE(log->roll(&closed).is_ok());
        ASSERT_TRUE(log->wait(closed.end, Durability::kProcess).is_ok());
      }
    }
    std::vector<std::string> names;
    ASSERT_TRUE(file_system->list(test::kLogDirectory, &names).is_ok());
    for (const std::string& name : names) {
      ASSERT_TRUE(read_file(file_system.get(), test::kLogDirectory + "/" + name, 1 << 20, &(*files)[name]).is_ok());
    }
  }

  static std::unique_ptr<MemoryFileSystem> store(const Files& files) {
    auto file_system = test::fresh_file_system();
    for (const auto& [name, bytes] : files) {
      std::unique_ptr<File> file;
      EXPECT_TRUE(file_system->open(test::kLogDirectory + "/" + name, OpenMode::kCreate, &file).is_ok());
      EXPECT_TRUE(file->append(bytes).is_ok());
    }
    file_system->set_interceptor([](FileOperation operation, const std::string& path, std::uint64_t) {
      const bool reads = operation == FileOperation::kOpen || operation == FileOperation::kRead ||
                         operation == FileOperation::kSize || operation == FileOperation::kList;
      EXPECT_TRUE(reads) << "reading changed " << path;
      return Status();
    });
    return file_system;
  }

  static test::Replayed read(const Files& files, RecoveryMode mode, Position from = 0) {
    return replay_all(store(files).get(), test::kLogDirectory, from, mode);
  }

  // What holds for whatever was done to the log. `touched` is the file that may have lost what it knew.
  // `*lenient` is what point-in-time recovery made of it.
  void check(const Files& files, const std::string& what, const std::string& touched,
             test::Replayed* lenient = nullptr) const {
    const auto file_system = store(files);
    for (const RecoveryMode mode : kModes) {
      const auto replayed = replay_all(file_system.get(), test::kLogDirectory, 0, mode);
      if (lenient != nullptr && mode == RecoveryMode::kPointInTimeRecovery) *lenient = replayed;
      SCOPED_TRACE(what + ", mode " + std::to_string(static_cast<int>(mode)) + ": " + replayed.status.to_string() +
                   " / " + replayed.report.damage.to_string());
      ASSERT_LE(replayed.records.size(), written_.size());
      for (std::size_t i = 0; i < replayed.records.size(); ++i) {
        ASSERT_EQ(replayed.records[i].payload, written_[i].payload) << "not a prefix";
        ASSERT_EQ(replayed.records[i].end, written_[i].end);
      }
      ASSERT_TRUE(replayed.status.is_ok() || replayed.status.is_corruption());
      const bool complete = replayed.records.size() == written_.size();
      // What a record that was not touched knew to be durable.
      bool proven = false;
      for (const Written& record : written_) {
        if (!complete && record.file != touched && record.mark >= written_[replayed.records.size()].end) proven = true;
      }
      if (proven) {
        ASSERT_TRUE(replayed.report.damage_is_corruption);
      }
      switch (mode) {
        case RecoveryMode::kPointInTimeRecovery:
          ASSERT_TRUE(replayed.status.is_ok());
          break;
        case RecoveryMode::kTolerateCorruptedTailRecords:
          ASSERT_EQ(replayed.status.is_corruption(), replayed.report.damage_is_corruption);
          break;
        case RecoveryMode::kAbsoluteConsistency:
          ASSERT_EQ(replayed.status.is_corruption(), !replayed.report.damage.is_ok());
          break;
      }
      if (!replayed.report.damage.is_ok()) {
        ASSERT_NE(replayed.report.damage.message().find(".log: "), std::string_view::npos) << "names no file";
      }
      // The next incarnation overwrites nothing.
      for (const auto& [name, bytes] : files) {
        ASSERT_GE(replayed.report.tail.next_begin, std::stoull(name.substr(0, 16), nullptr, 16) + bytes.size());
      }
    }
  }

  bool strictly_ok(const Files& files) const { return read(files, RecoveryMode::kAbsoluteConsistency).status.is_ok(); }

  Files files_;
  std::vector<Written> written_;
};

TEST_F(LogDamageTest, any_flipped_byte_is_noticed_or_was_of_no_concern) {
  for (const auto& [name, bytes] : files_) {
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      Files files = files_;
      files[name][at] = static_cast<char>(files[name][at] ^ (at % 2 == 0 ? 0x01 : 0xff));
      test::Replayed replayed;
      check(files, name + " flipped at " + std::to_string(at), name, &replayed);
      if (HasFatalFailure()) return;
      if (replayed.records.size() < written_.size()) {
        ASSERT_FALSE(replayed.report.damage.is_ok()) << name << " at " << at << ": records went without a word";
        ASSERT_GT(replayed.report.dropped_bytes, 0u);
      }
    }
  }
}

TEST_F(LogDamageTest, any_cut_is_noticed_unless_nothing_is_left) {
  for (const auto& [name, bytes] : files_) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      Files files = files_;
      files[name].resize(size);
      test::Replayed replayed;
      check(files, name + " cut to " + std::to_string(size), name, &replayed);
      if (HasFatalFailure()) return;
      if (replayed.records.size() < written_.size() && (size > 0 || name != files_.rbegin()->first)) {
        ASSERT_FALSE(replayed.report.damage.is_ok()) << name << " cut to " << size;
      }
    }
  }
}

TEST_F(LogDamageTest, any_missing_segment_is_noticed_unless_it_is_the_last) {
  for (const auto& file : files_) {
    Files files = files_;
    files.erase(file.first);
    test::Replayed replayed;
    check(files, file.first + " missing", file.first, &replayed);
    if (HasFatalFailure()) return;
    if (replayed.records.size() < written_.size() && file.first != files_.rbegin()->first) {
      ASSERT_FALSE(replayed.report.damage.is_ok()) << file.first;
    }
  }
}

TEST_F(LogDamageTest, swapped_segments_are_noticed) {
  for (auto a = files_.begin(); a != files_.end(); ++a) {
    for (auto b = std::next(a); b != files_.end(); ++b) {
      Files files = files_;
      std::swap(files[a->first], files[b->first]);
      check(files, a->first + " and " + b->first + " swapped", {});
      if (HasFatalFailure()) return;
      EXPECT_FALSE(strictly_ok(files)) << a->first << " and " << b->first;
    }
  }
}

TEST_F(LogDamageTest, a_segment_under_a_second_name_is_noticed) {
  for (const auto& [name, bytes] : files_) {
    for (const char* other : {"0000000000000008.log", "0000001000000080.log", "0000010000000000.log"}) {
      Files files = files_;
      files[other] = bytes;
      check(files, name + " also as " + other, {});
      if (HasFatalFailure()) return;
      EXPECT_FALSE(strictly_ok(files)) << name << " also as " << other;
      EXPECT_EQ(read(files, RecoveryMode::kPointInTimeRecovery).records.size(), written_.size())
          << name << " also as " << other << ": the segments go on without it";
    }
  }
}

TEST_F(LogDamageTest, segments_of_another_log_are_noticed) {
  Files others;
  std::vector<Written> unused;
  write_log(test::kLogId + 1, &others, &unused);
  ASSERT_EQ(others.size(), files_.size());
  for (const auto& [name, bytes] : others) {
    Files files = files_;
    files[name] = bytes;
    check(files, name + " of another log", name);
    if (HasFatalFailure()) return;
    // The one that was never used is not missed.
    EXPECT_FALSE(strictly_ok(files)) << name;
  }
  for (const RecoveryMode mode : kModes) {
    const auto replayed = read(others, mode);
    EXPECT_TRUE(replayed.status.is_corruption());
    EXPECT_NE(replayed.status.message().find("another log"), std::string_view::npos);
    EXPECT_TRUE(replayed.records.empty());
  }
}

TEST_F(LogDamageTest, damage_below_what_is_kept_elsewhere_is_of_no_concern) {
  for (std::size_t kept = 0; kept < written_.size(); ++kept) {
    const Position from = written_[kept].end;
    for (std::size_t victim = 0; victim <= kept; ++victim) {
      Files files = files_;
      std::string& bytes = files[written_[victim].file];
      const Position begin = std::stoull(written_[victim].file.substr(0, 16), nullptr, 16);
      bytes[written_[victim].end - begin - 9] ^= 1;
      const auto replayed = read(files, RecoveryMode::kAbsoluteConsistency, from);
      ASSERT_TRUE(replayed.status.is_ok()) << kept << ", " << victim << ": " << replayed.status.to_string();
      ASSERT_EQ(replayed.records.size(), written_.size() - kept - 1);
    }
  }
}

TEST_F(LogDamageTest, a_failed_read_is_that_failure_in_every_mode) {
  const auto file_system = store(files_);
  for (const RecoveryMode mode : kModes) {
    file_system->set_interceptor({});
    const std::uint64_t first = file_system->operations();
    ASSERT_TRUE(replay_all(file_system.get(), test::kLogDirectory, 0, mode).status.is_ok());
    const std::uint64_t operations = file_system->operations() - first;
    for (std::uint64_t n = 1; n <= operations; ++n) {
      file_system->set_interceptor(fail_operation(file_system->operations() + n, Status::io_error("broken")));
      EXPECT_TRUE(replay_all(file_system.get(), test::kLogDirectory, 0, mode).status.is_io_error()) << n;
    }
  }
}

TEST_F(LogDamageTest, a_receiver_that_refuses_ends_the_replay) {
  const auto file_system = store(files_);
  ReplayOptions options;
  options.file_system = file_system.get();
  options.directory = test::kLogDirectory;
  options.log_id = test::kLogId;
  ReplayReport report;
  int seen = 0;
  const Status status = replay(
      options, [&](Position, Position, std::string_view) { return ++seen == 3 ? Status::busy("full") : Status(); },
      &report);
  EXPECT_TRUE(status.is_busy());
  EXPECT_EQ(seen, 3);
}

}  // namespace
}  // namespace scree
