// SPDX-License-Identifier: Apache-2.0

#include <scree/log.h>
#include <scree/log_reader.h>

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "log_driver.h"
#include "support/temporary_directory.h"

namespace scree {
namespace {

using test::append;
using test::log_options;
using test::replay_all;

class LogTest : public ::testing::Test {
 protected:
  std::unique_ptr<Log> open(const LogOptions& options, const LogTail& tail = {}) {
    std::unique_ptr<Log> log;
    const Status status = Log::open(options, tail, &log);
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    return log;
  }
  std::unique_ptr<Log> open(std::size_t segment_bytes = 512, const LogTail& tail = {}) {
    return open(log_options(file_system_.get(), segment_bytes), tail);
  }
  Reservation add(Log& log, std::string_view payload) {
    Reservation reservation;
    const Status status = append(log, payload, &reservation);
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    return reservation;
  }
  std::vector<std::string> files() {
    std::vector<std::string> names;
    EXPECT_TRUE(file_system_->list(test::kLogDirectory, &names).is_ok());
    return names;
  }

  std::unique_ptr<MemoryFileSystem> file_system_ = test::fresh_file_system();
};

TEST_F(LogTest, an_empty_directory_is_a_new_log) {
  const auto replayed = replay_all(file_system_.get());
  EXPECT_TRUE(replayed.status.is_ok());
  EXPECT_TRUE(replayed.report.damage.is_ok());
  EXPECT_EQ(replayed.report.tail.next_begin, LogTail().next_begin);
  EXPECT_EQ(replayed.report.tail.recovered_to, LogTail().recovered_to);
  EXPECT_EQ(replayed.report.tail.incarnation, LogTail().incarnation);
}

TEST_F(LogTest, reservations_form_a_chain_from_the_start) {
  const auto log = open(256);
  Position previous = log->start();
  for (int i = 0; i < 50; ++i) {
    const Reservation reservation = add(*log, std::string(static_cast<std::size_t>(i), 'x'));
    EXPECT_EQ(reservation.previous_end, previous);
    EXPECT_GE(reservation.begin, previous);
    EXPECT_GT(reservation.end, reservation.begin);
    previous = reservation.end;
    if (i % 7 == 0) {
      Reservation closed;
      ASSERT_TRUE(log->roll(&closed).is_ok());
      EXPECT_EQ(closed.previous_end, previous);
      EXPECT_EQ(closed.begin, previous);
      EXPECT_EQ(closed.end % 256, 0u);
      previous = closed.end;
    }
  }
}

TEST_F(LogTest, gives_back_all_pieces_of_all_records_in_order) {
  std::vector<std::pair<Position, std::string>> written;
  {
    const auto log = open();
    for (int i = 0; i < 100; ++i) {
      const std::string a(static_cast<std::size_t>(i * 3), static_cast<char>('a' + i % 26));
      const std::string b = std::to_string(i);
      const std::string_view pieces[] = {a, {}, b};
      Reservation reservation;
      ASSERT_TRUE(log->append(pieces, &reservation).is_ok());
      written.emplace_back(reservation.end, a + b);
    }
    const std::span<const std::string_view> nothing;
    Reservation reservation;
    ASSERT_TRUE(log->append(nothing, &reservation).is_ok());
    written.emplace_back(reservation.end, "");
    ASSERT_TRUE(log->wait(reservation.end, Durability::kProcess).is_ok());
  }
  const auto replayed = replay_all(file_system_.get(), test::kLogDirectory, 0, RecoveryMode::kAbsoluteConsistency);
  ASSERT_TRUE(replayed.status.is_ok()) << replayed.status.to_string();
  ASSERT_EQ(replayed.records.size(), written.size());
  EXPECT_EQ(replayed.report.records, written.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    EXPECT_EQ(replayed.records[i].end, written[i].first);
    EXPECT_EQ(replayed.records[i].payload, written[i].second);
  }
  EXPECT_EQ(replayed.report.tail.recovered_to, written.back().first);

  const Position middle = written[60].first;
  const auto rest = replay_all(file_system_.get(), test::kLogDirectory, middle);
  ASSERT_EQ(rest.records.size(), written.size() - 61);
  EXPECT_EQ(rest.records.front().payload, written[61].second);
}

TEST_F(LogTest, a_record_larger_than_a_segment_gets_one_of_its_own) {
  const std::string large(100000, 'L');
  std::uint64_t records = 0;
  {
    const auto log = open();
    Position end = 0;
    for (const std::string_view payload : {std::string_view("a"), std::string_view(large), std::string_view("b")}) {
      end = add(*log, payload).end;
      ++records;
    }
    ASSERT_TRUE(log->wait(end, Durability::kProcess).is_ok());
  }
  const auto replayed = replay_all(file_system_.get());
  ASSERT_EQ(replayed.records.size(), records);
  EXPECT_EQ(replayed.records[1].payload, large);
}

TEST_F(LogTest, a_payload_above_the_limit_is_refused_without_a_trace) {
  const auto log = open();
  const std::string_view huge(nullptr, kMaxLogPayloadBytes + 1);  // its bytes are never looked at
  Reservation reservation;
  EXPECT_EQ(append(*log, huge, &reservation).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(add(*log, "x").previous_end, log->start());
}

TEST_F(LogTest, announces_each_segment_before_its_positions_are_reserved) {
  std::vector<Position> switches;
  LogOptions options = log_options(file_system_.get(), 256);
  options.on_segment_switch = [&](Position next_begin) { switches.push_back(next_begin); };
  const auto log = open(options);
  EXPECT_TRUE(switches.empty());
  Position last = log->start();
  for (int i = 0; i < 30; ++i) {
    const Reservation reservation = add(*log, std::string(100, 'x'));
    ASSERT_FALSE(i > 0 && switches.empty());
    if (!switches.empty()) {
      EXPECT_FALSE(last < switches.back() && reservation.begin < switches.back() && reservation.end > switches.back());
      EXPECT_GT(reservation.begin, switches.back());
    }
    last = reservation.end;
  }
  EXPECT_TRUE(std::is_sorted(switches.begin(), switches.end()));
  const std::size_t before = switches.size();
  Reservation closed;
  ASSERT_TRUE(log->roll(&closed).is_ok());
  ASSERT_EQ(switches.size(), before + 1);
  EXPECT_EQ(switches.back(), closed.end);
}

TEST_F(LogTest, every_incarnation_begins_beyond_the_earlier_ones_and_continues_them) {
  std::vector<std::string> written;
  Position last = 0;
  for (int life = 0; life < 5; ++life) {
    const auto before = replay_all(file_system_.get());
    ASSERT_TRUE(before.report.damage.is_ok()) << before.report.damage.to_string();
    EXPECT_EQ(before.report.tail.incarnation, static_cast<std::uint64_t>(life) + 1);
    const auto log = open(512, before.report.tail);
    EXPECT_GT(log->start(), last);
    for (int i = 0; i < 10; ++i) {
      written.push_back(std::to_string(life) + ":" + std::to_string(i));
      last = add(*log, written.back()).end;
    }
    ASSERT_TRUE(log->wait(last, Durability::kProcess).is_ok());
  }
  const auto replayed = replay_all(file_system_.get(), test::kLogDirectory, 0, RecoveryMode::kAbsoluteConsistency);
  ASSERT_EQ(replayed.records.size(), written.size()) << replayed.status.to_string();
  for (std::size_t i = 0; i < written.size(); ++i) EXPECT_EQ(replayed.records[i].payload, written[i]);
}

TEST_F(LogTest, what_was_dropped_once_stays_dropped) {
  Position damaged = 0;
  {
    const auto log = open(4096);
    add(*log, "kept");
    damaged = add(*log, "damaged").begin;
    ASSERT_TRUE(log->wait(add(*log, "after it").end, Durability::kProcess).is_ok());
  }
  const auto flip = [&] {
    std::unique_ptr<File> file;
    ASSERT_TRUE(file_system_->open(test::kLogDirectory + "/" + files().front(), OpenMode::kReadWrite, &file).is_ok());
    char byte = 0;
    std::size_t count = 0;
    ASSERT_TRUE(file->read_at(damaged + 32, {&byte, 1}, &count).is_ok());
    byte = static_cast<char>(byte ^ 1);
    ASSERT_TRUE(file->write_at(damaged + 32, {&byte, 1}).is_ok());
  };
  flip();
  const auto first = replay_all(file_system_.get());
  ASSERT_EQ(first.records.size(), 1u);
  {
    const auto log = open(4096, first.report.tail);
    ASSERT_TRUE(log->wait(add(*log, "new").end, Durability::kProcess).is_ok());
  }
  flip();  // healed, and yet
  const auto second = replay_all(file_system_.get(), test::kLogDirectory, 0, RecoveryMode::kAbsoluteConsistency);
  ASSERT_TRUE(second.status.is_ok()) << second.status.to_string();
  ASSERT_EQ(second.records.size(), 2u);
  EXPECT_EQ(second.records[0].payload, "kept");
  EXPECT_EQ(second.records[1].payload, "new");
}

TEST_F(LogTest, buffered_records_reach_the_file_by_themselves_when_there_are_many) {
  const auto log = open(8 << 20);
  Position end = 0;
  for (int i = 0; i < 300; ++i) {
    end = add(*log, std::string(10000, 'x')).end;
    ASSERT_TRUE(log->wait(end, Durability::kBuffered).is_ok());
  }
  const LogStats stats = log->stats();
  EXPECT_GE(stats.writes, 2u);
  EXPECT_LE(stats.writes, 4u);
  EXPECT_EQ(stats.syncs, 0u);
  EXPECT_LT(replay_all(file_system_.get()).records.size(), 300u);
  ASSERT_TRUE(log->sync().is_ok());
  EXPECT_EQ(replay_all(file_system_.get()).records.size(), 300u);
}

TEST_F(LogTest, one_write_serves_all_that_is_staged_and_nothing_is_written_twice) {
  const auto log = open(1 << 20);
  Position end = 0;
  for (int i = 0; i < 100; ++i) end = add(*log, "x").end;
  ASSERT_TRUE(log->wait(end, Durability::kProcess).is_ok());
  EXPECT_EQ(log->stats().writes, 1u);
  ASSERT_TRUE(log->wait(end, Durability::kProcess).is_ok());
  EXPECT_EQ(log->stats().writes, 1u);
  ASSERT_TRUE(log->wait(end, Durability::kDisk).is_ok());
  ASSERT_TRUE(log->wait(end, Durability::kDisk).is_ok());
  EXPECT_EQ(log->stats().syncs, 1u);
  EXPECT_EQ(log->wait(end + 8, Durability::kProcess).code(), StatusCode::kInvalidArgument);
}

TEST_F(LogTest, the_disk_level_covers_what_earlier_incarnations_left_in_the_page_cache) {
  Position end = 0;
  {
    const auto log = open(256);
    for (int i = 0; i < 10; ++i) end = add(*log, "unsynced").end;
    ASSERT_TRUE(log->wait(end, Durability::kProcess).is_ok());
  }
  const auto found = replay_all(file_system_.get());
  ASSERT_EQ(found.records.size(), 10u);
  const auto log = open(256, found.report.tail);
  ASSERT_TRUE(log->wait(add(*log, "synced").end, Durability::kDisk).is_ok());
  const auto after = file_system_->crash({CrashPolicy::Unsynced::kDropped});
  EXPECT_EQ(replay_all(after.get()).records.size(), 11u);
}

TEST_F(LogTest, purging_removes_whole_segments_that_recovery_needs_no_more) {
  Position old_end = 0;
  {
    const auto log = open(256);
    for (int i = 0; i < 10; ++i) old_end = add(*log, "of the first life").end;
    ASSERT_TRUE(log->wait(old_end, Durability::kProcess).is_ok());
  }
  const auto log = open(256, replay_all(file_system_.get()).report.tail);
  const Reservation kept = add(*log, "flushed");
  Reservation closed;
  ASSERT_TRUE(log->roll(&closed).is_ok());
  ASSERT_TRUE(log->wait(add(*log, "needed").end, Durability::kProcess).is_ok());

  const std::size_t all = files().size();
  EXPECT_EQ(log->stats().segments, all);
  ASSERT_TRUE(log->purge_before(0).is_ok());
  EXPECT_EQ(files().size(), all);
  ASSERT_TRUE(log->purge_before(kept.end).is_ok());
  EXPECT_EQ(files().size(), 2u) << "the first life is over, the second's first segment goes on beyond this position";
  ASSERT_TRUE(log->purge_before(closed.end).is_ok());
  EXPECT_EQ(files().size(), 1u);
  EXPECT_EQ(log->stats().segments, 1u);
  ASSERT_TRUE(log->purge_before(~Position{0}).is_ok());
  EXPECT_EQ(files().size(), 1u) << "the current segment stays";

  const auto replayed =
      replay_all(file_system_.get(), test::kLogDirectory, closed.end, RecoveryMode::kAbsoluteConsistency);
  ASSERT_EQ(replayed.records.size(), 1u) << replayed.status.to_string();
  EXPECT_EQ(replayed.records[0].payload, "needed");
  const auto gap = replay_all(file_system_.get());
  EXPECT_TRUE(gap.status.is_ok());
  EXPECT_TRUE(gap.records.empty());
  EXPECT_NE(gap.report.damage.message().find("missing"), std::string_view::npos);
}

TEST_F(LogTest, a_full_disk_stops_only_those_who_need_a_new_segment_and_only_while_it_is_full) {
  const auto log = open(1024);
  add(*log, "first");
  file_system_->set_space(0);
  Reservation reservation;
  const Status refused = append(*log, std::string(1000, 'x'), &reservation);
  EXPECT_TRUE(refused.is_no_space()) << refused.to_string();
  EXPECT_TRUE(log->roll(&reservation).is_no_space());
  const Reservation still = add(*log, "still fits");
  EXPECT_TRUE(log->wait(still.end, Durability::kDisk).is_ok());
  file_system_->set_space({});
  const Reservation after = add(*log, std::string(1000, 'y'));
  EXPECT_EQ(after.previous_end, still.end);
  EXPECT_TRUE(log->wait(after.end, Durability::kDisk).is_ok());
  EXPECT_EQ(replay_all(file_system_.get()).records.size(), 3u);
}

TEST_F(LogTest, a_failed_write_or_sync_poisons) {
  for (const FileOperation failing : {FileOperation::kWrite, FileOperation::kSync, FileOperation::kSyncDirectory}) {
    file_system_ = test::fresh_file_system();
    const auto log = open(256);
    Reservation kept = add(*log, "kept");
    ASSERT_TRUE(log->wait(kept.end, Durability::kDisk).is_ok());
    const Reservation lost = add(*log, "lost");
    ASSERT_TRUE(log->roll(&kept).is_ok());
    file_system_->set_interceptor([failing](FileOperation operation, const std::string& path, std::uint64_t) {
      return operation == failing ? Status::io_error(path + ": broken") : Status();
    });
    EXPECT_TRUE(log->wait(lost.end, Durability::kDisk).is_io_error());
    file_system_->set_interceptor({});
    Reservation reservation;
    const Status stopped = append(*log, "more", &reservation);
    EXPECT_TRUE(stopped.is_io_error());
    EXPECT_NE(stopped.message().find("broken"), std::string_view::npos);
    EXPECT_TRUE(log->wait(lost.end, Durability::kDisk).is_io_error());
    EXPECT_TRUE(log->wait(lost.end, Durability::kProcess).is_io_error());
    EXPECT_TRUE(log->roll(&reservation).is_io_error());
    EXPECT_TRUE(log->sync().is_io_error());
    const auto after = file_system_->crash({CrashPolicy::Unsynced::kDropped});
    EXPECT_EQ(replay_all(after.get()).records.front().payload, "kept");
  }
}

TEST_F(LogTest, refuses_to_open_where_it_would_overwrite_or_cannot_work) {
  std::unique_ptr<Log> log;
  EXPECT_EQ(Log::open(log_options(file_system_.get(), 8), {}, &log).code(), StatusCode::kInvalidArgument);
  LogTail tail;
  tail.next_begin = 3;
  EXPECT_EQ(Log::open(log_options(file_system_.get()), tail, &log).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(Log::open(log_options(file_system_.get(), 512, "/nowhere"), {}, &log).is_not_found());
  EXPECT_TRUE(open() != nullptr);
  const Status again = Log::open(log_options(file_system_.get()), {}, &log);
  EXPECT_EQ(again.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(again.message().find("0000000000000000.log"), std::string_view::npos);
}

TEST_F(LogTest, a_failed_open_leaves_nothing_behind_and_may_be_tried_again) {
  const std::uint64_t before = file_system_->operations();
  open();
  const std::uint64_t operations = file_system_->operations() - before;
  for (std::uint64_t n = 1; n <= operations; ++n) {
    file_system_ = test::fresh_file_system();
    file_system_->set_interceptor(fail_operation(before + n, Status::io_error("broken")));
    std::unique_ptr<Log> log;
    EXPECT_TRUE(Log::open(log_options(file_system_.get()), {}, &log).is_io_error()) << n;
    EXPECT_TRUE(files().empty()) << n;
    EXPECT_TRUE(open() != nullptr);
  }
}

TEST_F(LogTest, segments_of_another_log_are_neither_synced_nor_purged) {
  {
    std::unique_ptr<Log> other;
    ASSERT_TRUE(
        Log::open(log_options(file_system_.get(), 512, test::kLogDirectory, test::kLogId + 1), {}, &other).is_ok());
  }
  LogTail tail;
  tail.next_begin = 1 << 20;
  const auto log = open(512, tail);
  ASSERT_TRUE(log->sync().is_ok());
  ASSERT_TRUE(log->purge_before(~Position{0}).is_ok());
  EXPECT_EQ(files().size(), 2u);
}

RC_GTEST_PROP(Log, round_trips_any_records_through_any_segment_size, ()) {
  const test::TemporaryDirectory directory;
  const auto segment_bytes = *rc::gen::inRange<std::size_t>(256, 5000);
  const auto payloads = *rc::gen::arbitrary<std::vector<std::string>>();
  std::unique_ptr<Log> log;
  RC_ASSERT(Log::open(log_options(posix_file_system(), segment_bytes, directory.path()), {}, &log).is_ok());
  for (const std::string& payload : payloads) {
    Reservation reservation;
    RC_ASSERT(append(*log, payload, &reservation).is_ok());
    const auto durability = *rc::gen::weightedElement<Durability>(
        {{8, Durability::kBuffered}, {8, Durability::kProcess}, {1, Durability::kDisk}});
    RC_ASSERT(log->wait(reservation.end, durability).is_ok());
  }
  RC_ASSERT(log->sync().is_ok());
  log.reset();
  const auto replayed = replay_all(posix_file_system(), directory.path(), 0, RecoveryMode::kAbsoluteConsistency);
  RC_ASSERT(replayed.status.is_ok());
  RC_ASSERT(replayed.records.size() == payloads.size());
  for (std::size_t i = 0; i < payloads.size(); ++i) RC_ASSERT(replayed.records[i].payload == payloads[i]);
}

}  // namespace
}  // namespace scree
