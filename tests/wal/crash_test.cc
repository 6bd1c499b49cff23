// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include "crash_explorer.h"

namespace scree {
namespace {

using test::Exploration;
using test::explore;
using test::Planted;
using test::Script;

constexpr Position kLease = Position{1} << 36;

TEST(LogCrash, keeps_its_promises_at_every_operation_of_every_script) {
  std::uint64_t crashes = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Script script;
    script.seed = seed;
    const Exploration exploration = explore(script, 3);
    ASSERT_FALSE(exploration.wrong) << *exploration.wrong;
    crashes += exploration.crashes;
  }
  EXPECT_GT(crashes, 8000u);
}

TEST(LogCrash, keeps_its_promises_where_an_incarnation_renews_its_lease_of_positions) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Script script;
    script.seed = seed;
    script.first_begin = kLease - 2048;
    const Exploration exploration = explore(script, 3);
    ASSERT_FALSE(exploration.wrong) << *exploration.wrong;
  }
}

TEST(LogCrash, the_checker_notices_each_planted_mistake) {
  for (const Planted planted :
       {Planted::kSyncDoesNothing, Planted::kDirectorySyncDoesNothing, Planted::kAcknowledgesBeforeTheDisk,
        Planted::kReusesPositions, Planted::kForgetsWhatWasDropped}) {
    std::optional<std::string> noticed;
    for (std::uint64_t seed = 1; seed <= 12 && !noticed; ++seed) {
      Script script;
      script.seed = seed;
      script.planted = planted;
      noticed = explore(script, 3).wrong;
    }
    EXPECT_TRUE(noticed) << static_cast<int>(planted);
    if (noticed) RecordProperty("planted" + std::to_string(static_cast<int>(planted)), *noticed);
  }
}

// Each n-th operation of a script fails once, and the script goes on as far as the log lets it.
TEST(LogFault, nothing_acknowledged_is_lost_whichever_operation_fails) {
  for (const bool full : {false, true}) {
    for (std::uint64_t n = 3;; ++n) {
      const auto file_system = test::fresh_file_system();
      file_system->set_interceptor(fail_operation(n, full ? Status::no_space("full") : Status::io_error("broken")));
      std::vector<std::pair<Position, std::string>> written;
      std::size_t in_process = 0;
      std::size_t on_disk = 0;
      std::size_t failures = 0;
      for (std::uint64_t life = 0; life < 2; ++life) {
        auto found = test::replay_all(file_system.get());
        if (!found.status.is_ok()) {
          ++failures;
          ASSERT_TRUE(found.status.is_io_error()) << found.status.to_string();
          found = test::replay_all(file_system.get());
        }
        ASSERT_TRUE(found.status.is_ok()) << found.status.to_string();
        ASSERT_GE(found.records.size(), in_process);
        ASSERT_LE(found.records.size(), written.size());
        written.resize(found.records.size());
        in_process = written.size();
        std::unique_ptr<Log> log;
        Status status = Log::open(test::log_options(file_system.get(), 256), found.report.tail, &log);
        if (!status.is_ok()) {
          ++failures;
          status = Log::open(test::log_options(file_system.get(), 256), found.report.tail, &log);
        }
        ASSERT_TRUE(status.is_ok()) << n << status.to_string();
        bool stopped = false;
        for (int i = 0; i < 12; ++i) {
          const std::string payload = std::to_string(life) + ":" + std::to_string(i) + std::string(40, 'x');
          Reservation reservation;
          status = test::append(*log, payload, &reservation);
          if (!status.is_ok()) {
            ++failures;
            continue;
          }
          ASSERT_FALSE(stopped) << "a record was taken after a failed write";
          written.emplace_back(reservation.end, payload);
          const auto durability = static_cast<Durability>(i % 3);
          status = log->wait(reservation.end, durability);
          if (!status.is_ok()) {
            ++failures;
            stopped = true;
          } else {
            if (durability >= Durability::kProcess) in_process = written.size();
            if (durability == Durability::kDisk) on_disk = written.size();
          }
        }
      }
      const bool reached = file_system->operations() >= n;
      file_system->set_interceptor({});
      for (const auto policy : {CrashPolicy::Unsynced::kKept, CrashPolicy::Unsynced::kDropped}) {
        const auto after = file_system->crash({policy});
        const auto found = test::replay_all(after.get());
        ASSERT_TRUE(found.status.is_ok()) << found.status.to_string();
        ASSERT_FALSE(found.report.damage_is_corruption) << n << found.report.damage.to_string();
        ASSERT_GE(found.records.size(), policy == CrashPolicy::Unsynced::kKept ? in_process : on_disk) << n;
        for (std::size_t i = 0; i < found.records.size(); ++i) {
          ASSERT_EQ(found.records[i].payload, written.at(i).second);
        }
      }
      if (!reached) {
        EXPECT_EQ(failures, 0u);
        EXPECT_GT(n, 50u);
        break;
      }
      // No failure goes unseen.
      EXPECT_GT(failures, 0u) << n;
    }
  }
}

}  // namespace
}  // namespace scree
