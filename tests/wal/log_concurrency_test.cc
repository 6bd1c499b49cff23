// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <gtest/gtest.h>

#include "log_driver.h"
#include "support/temporary_directory.h"

namespace scree {
namespace {

using test::append;
using test::log_options;
using test::replay_all;

#ifdef SCREE_SMALL_CAPACITIES
constexpr int kRecordsPerThread = 400;
constexpr int kKills = 5;
#else
constexpr int kRecordsPerThread = 2000;
constexpr int kKills = 30;
#endif

struct Appended {
  Reservation reservation;
  std::string payload;  // empty: a roll
};

// Several threads append, wait at all levels, roll, sync and purge; what comes of it, in the order of the chain.
void run_threads(FileSystem* file_system, const std::string& directory, int threads, int records_per_thread,
                 bool purge) {
  std::vector<Position> switches;  // guarded by the log's lock
  std::atomic<Position> flushed{0};
  LogOptions options = log_options(file_system, 4096, directory);
  options.on_segment_switch = [&](Position next_begin) { switches.push_back(next_begin); };
  std::unique_ptr<Log> log;
  ASSERT_TRUE(Log::open(options, {}, &log).is_ok());
  std::mutex mutex;
  std::map<Position, Appended> all;  // by end
  {
    std::vector<std::jthread> workers;
    for (int thread = 0; thread < threads; ++thread) {
      workers.emplace_back([&, thread] {
        std::vector<Appended> mine;
        for (int i = 0; i < records_per_thread; ++i) {
          Appended appended;
          if (i % 64 == 63) {
            EXPECT_TRUE(log->roll(&appended.reservation).is_ok());
            EXPECT_TRUE(log->wait(appended.reservation.end, Durability::kProcess).is_ok());
            if (purge) {
              Position seen = flushed.load();
              while (seen < appended.reservation.end &&
                     !flushed.compare_exchange_weak(seen, appended.reservation.end)) {
              }
              EXPECT_TRUE(log->purge_before(appended.reservation.end).is_ok());
            }
          } else {
            appended.payload = std::to_string(thread) + ":" + std::to_string(i) + ":" +
                               std::string(static_cast<std::size_t>((i * 37) % (i % 50 == 0 ? 6000 : 200)), 'x');
            EXPECT_TRUE(append(*log, appended.payload, &appended.reservation).is_ok());
            const auto durability = i % 16 == 0 ? Durability::kDisk : static_cast<Durability>(i % 2);
            EXPECT_TRUE(log->wait(appended.reservation.end, durability).is_ok());
          }
          mine.push_back(std::move(appended));
        }
        EXPECT_TRUE(log->sync().is_ok());
        const std::lock_guard lock(mutex);
        for (Appended& appended : mine) all[appended.reservation.end] = std::move(appended);
      });
    }
  }
  ASSERT_EQ(all.size(), static_cast<std::size_t>(threads * records_per_thread)) << "an end was given twice";
  Position previous = log->start();
  for (const auto& [end, appended] : all) {
    ASSERT_EQ(appended.reservation.previous_end, previous);
    ASSERT_GE(appended.reservation.begin, previous);
    // No record straddles a switch.
    const auto next = std::upper_bound(switches.begin(), switches.end(), appended.reservation.begin);
    if (next != switches.end()) {
      ASSERT_LE(end, *next);
    }
    previous = end;
  }
  EXPECT_TRUE(std::is_sorted(switches.begin(), switches.end()));
  const LogStats stats = log->stats();
  EXPECT_EQ(stats.segments,
            switches.size() + 1 -
                static_cast<std::size_t>(std::count_if(switches.begin(), switches.end(),
                                                       [&](Position end) { return end <= flushed.load(); })));
  log.reset();
  const auto replayed = replay_all(file_system, directory, flushed.load(), RecoveryMode::kAbsoluteConsistency);
  ASSERT_TRUE(replayed.status.is_ok()) << replayed.status.to_string();
  std::size_t at = 0;
  for (const auto& [end, appended] : all) {
    if (appended.payload.empty() || end <= flushed.load()) continue;
    ASSERT_LT(at, replayed.records.size());
    ASSERT_EQ(replayed.records[at].end, end);
    ASSERT_EQ(replayed.records[at].payload, appended.payload);
    ++at;
  }
  EXPECT_EQ(at, replayed.records.size());
}

TEST(LogConcurrency, threads_of_all_durabilities_share_one_chain_in_memory) {
  const auto file_system = test::fresh_file_system();
  run_threads(file_system.get(), test::kLogDirectory, 6, kRecordsPerThread, false);
}

TEST(LogConcurrency, threads_roll_and_purge_while_others_append) {
  const auto file_system = test::fresh_file_system();
  run_threads(file_system.get(), test::kLogDirectory, 4, kRecordsPerThread, true);
}

TEST(LogConcurrency, threads_of_all_durabilities_share_one_chain_on_a_real_disk) {
  const test::TemporaryDirectory directory;
  run_threads(posix_file_system(), directory.path(), 4, kRecordsPerThread / 8, true);
}

// While one sync is held up, others stage behind it; the next one serves all of them.
TEST(LogConcurrency, those_who_come_during_a_sync_share_the_next_one) {
  const auto file_system = test::fresh_file_system();
  std::unique_ptr<Log> log;
  ASSERT_TRUE(Log::open(log_options(file_system.get(), 1 << 16), {}, &log).is_ok());
  constexpr int kFollowers = 6;
  std::atomic<int> appended{0};
  std::atomic<int> syncs{0};
  // The interceptor runs in the syncing thread, without the log's lock: it may wait until all followers have staged.
  file_system->set_interceptor([&](FileOperation operation, const std::string&, std::uint64_t) {
    if (operation == FileOperation::kSync && syncs.fetch_add(1) == 0) {
      syncs.notify_all();
      for (int seen = appended.load(); seen < kFollowers; seen = appended.load()) appended.wait(seen);
    }
    return Status();
  });
  {
    std::vector<std::jthread> threads;
    threads.emplace_back([&] {
      Reservation reservation;
      EXPECT_TRUE(append(*log, "leader", &reservation).is_ok());
      EXPECT_TRUE(log->wait(reservation.end, Durability::kProcess).is_ok());
      EXPECT_TRUE(log->wait(reservation.end, Durability::kDisk).is_ok());
    });
    for (int i = 0; i < kFollowers; ++i) {
      threads.emplace_back([&] {
        syncs.wait(0);
        Reservation reservation;
        EXPECT_TRUE(append(*log, "follower", &reservation).is_ok());
        appended.fetch_add(1);
        appended.notify_all();
        EXPECT_TRUE(log->wait(reservation.end, Durability::kDisk).is_ok());
      });
    }
  }
  EXPECT_EQ(syncs.load(), 2);
}

TEST(LogConcurrency, a_failed_sync_reaches_everyone_who_waits) {
  const auto file_system = test::fresh_file_system();
  std::unique_ptr<Log> log;
  ASSERT_TRUE(Log::open(log_options(file_system.get(), 1 << 16), {}, &log).is_ok());
  file_system->set_interceptor([&](FileOperation operation, const std::string& path, std::uint64_t) {
    return operation == FileOperation::kSync ? Status::io_error(path + ": broken") : Status();
  });
  std::atomic<int> failures{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i) {
      threads.emplace_back([&] {
        Reservation reservation;
        Status status = append(*log, "x", &reservation);
        if (status.is_ok()) status = log->wait(reservation.end, Durability::kDisk);
        if (status.is_io_error()) failures.fetch_add(1);
      });
    }
  }
  EXPECT_EQ(failures.load(), 6);
}

// A child process appends and reports what was acknowledged; it is killed; everything reported must be there.
void write_until_killed(const std::string& directory, int report_to) {
  const auto found = replay_all(posix_file_system(), directory);
  std::unique_ptr<Log> log;
  if (!found.status.is_ok() ||
      !Log::open(log_options(posix_file_system(), 4096, directory), found.report.tail, &log).is_ok()) {
    ::_exit(1);
  }
  for (std::uint64_t i = 0;; ++i) {
    Reservation reservation;
    if (!append(*log, std::to_string(i) + std::string(i % 300, 'k'), &reservation).is_ok() ||
        !log->wait(reservation.end, Durability::kProcess).is_ok() ||
        ::write(report_to, &reservation.end, sizeof reservation.end) != sizeof reservation.end) {
      ::_exit(1);
    }
  }
}

TEST(LogProcess, what_was_acknowledged_survives_the_killing_of_its_process) {
  const test::TemporaryDirectory directory;
  std::vector<Position> acknowledged;
  for (int round = 0; round < kKills; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe_ends[0]);
      write_until_killed(directory.path(), pipe_ends[1]);
    }
    ::close(pipe_ends[1]);
    // Some acknowledgements in, wherever the child is then; what it reported before it died counts too.
    Position end = 0;
    for (int i = 0; i < 20 + round * 7; ++i) {
      ASSERT_EQ(::read(pipe_ends[0], &end, sizeof end), static_cast<ssize_t>(sizeof end));
      acknowledged.push_back(end);
    }
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    while (::read(pipe_ends[0], &end, sizeof end) == static_cast<ssize_t>(sizeof end)) acknowledged.push_back(end);
    ::close(pipe_ends[0]);
    int exit_status = 0;
    ASSERT_EQ(::waitpid(child, &exit_status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(exit_status)) << "the child failed by itself";

    const auto found = replay_all(posix_file_system(), directory.path());
    ASSERT_TRUE(found.status.is_ok()) << found.status.to_string();
    ASSERT_FALSE(found.report.damage_is_corruption) << found.report.damage.to_string();
    std::vector<Position> ends;
    for (const auto& record : found.records) ends.push_back(record.end);
    ASSERT_TRUE(std::includes(ends.begin(), ends.end(), acknowledged.begin(), acknowledged.end())) << round;
  }
}

}  // namespace
}  // namespace scree
