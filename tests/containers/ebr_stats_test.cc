// SPDX-License-Identifier: Apache-2.0
//
// What the domain tells of itself: how much waits, which barrier holds it back, and when it is too much.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include <scree/ebr.h>

#include "reclaim.h"
#include "worker.h"

namespace scree::test {
namespace {

using ebr::Barrier;
using ebr::Stats;

void retire(Atomic<int>& alive, std::size_t objects, std::size_t bytes = sizeof(Counted)) {
  const Barrier barrier;
  for (; objects != 0; --objects) {
    barrier.retire(
        new Counted(alive), [](void* p) { delete static_cast<Counted*>(p); }, bytes);
  }
}

TEST(EbrStats, count_what_waits) {
  ASSERT_TRUE(reclaim_all());
  EXPECT_EQ(ebr::stats().pending_objects, 0u);
  EXPECT_EQ(ebr::stats().pending_bytes, 0u);
  Atomic<int> alive{0};
  Worker other;
  other.run([&] { retire(alive, 5, 10); });
  {
    const Barrier barrier;
    retire(alive, 2, 100);
    const Stats stats = ebr::stats();
    EXPECT_EQ(stats.pending_objects, 7u);
    EXPECT_EQ(stats.pending_bytes, 250u);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(ebr::stats().pending_objects, 0u);
  EXPECT_EQ(ebr::stats().pending_bytes, 0u);
}

TEST(EbrStats, count_threads_from_their_first_barrier_to_their_end) {
  { const Barrier of_this_thread; }
  const std::uint64_t before = ebr::stats().threads;
  {
    Worker other;
    EXPECT_EQ(ebr::stats().threads, before);
    other.run([] { const Barrier barrier; });
    EXPECT_EQ(ebr::stats().threads, before + 1);
  }
  EXPECT_EQ(ebr::stats().threads, before);
}

TEST(EbrStats, tell_the_oldest_barrier) {
  EXPECT_EQ(ebr::stats().oldest_barrier_epochs, 0u);
  Worker other;
  std::optional<Barrier> held;
  other.run([&] { held.emplace(); });
  const Stats young = ebr::stats();
  {
    const Barrier a_younger_one;
    ebr::collect();
    const Stats old = ebr::stats();
    EXPECT_GT(old.epoch, young.epoch);
    EXPECT_EQ(old.oldest_barrier_epochs - young.oldest_barrier_epochs, old.epoch - young.epoch);
    EXPECT_GT(old.oldest_barrier_nanoseconds, 0u);
  }
  other.run([&] { held.reset(); });
  EXPECT_EQ(ebr::stats().oldest_barrier_epochs, 0u);
  EXPECT_EQ(ebr::stats().oldest_barrier_nanoseconds, 0u);
}

TEST(EbrStats, say_that_what_is_just_being_freed_still_waits) {
  ASSERT_TRUE(reclaim_all());
  bool waiting_meanwhile = false;
  Worker other;
  {
    const Barrier barrier;
    barrier.defer_execute([&] { other.run([&] { waiting_meanwhile = ebr::collect(); }); });
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_TRUE(waiting_meanwhile);
}

TEST(EbrStats, stay_sane_while_threads_look_at_them_and_at_barriers_that_come_and_go) {
  Atomic<bool> stop{false};
  Atomic<int> alive{0};
  std::thread busy([&] {
    while (!stop) {
      retire(alive, 3);
      ebr::collect();
    }
  });
  std::uint64_t oldest = 0;
  for (int n = 0; n < 20'000; ++n) oldest = std::max(oldest, ebr::stats().oldest_barrier_nanoseconds);
  stop = true;
  busy.join();
  EXPECT_LT(oldest, 3600u * 1'000'000'000);
  EXPECT_TRUE(reclaim_all());
}

TEST(EbrBacklog, is_told_once_each_time_that_it_grows_beyond_the_limit) {
  ASSERT_TRUE(reclaim_all());
  constexpr std::uint64_t kLimit = 5000;
  Atomic<int> alive{0};
  std::vector<Stats> told;
  ebr::on_backlog(kLimit, 1u << 30, [&](const Stats& stats) {
    told.push_back(stats);
    const Barrier listeners_may_use_the_domain;
    ebr::collect();
  });
  for (std::size_t round = 1; round <= 3; ++round) {
    {
      const Barrier barrier;
      retire(alive, kLimit / 2);
      EXPECT_EQ(told.size(), round - 1);
      retire(alive, 2 * kLimit);
      ASSERT_EQ(told.size(), round);
      EXPECT_GE(told.back().pending_objects, kLimit);
      EXPECT_GT(told.back().oldest_barrier_epochs, 0u) << "it says what holds the garbage back";
    }
    EXPECT_TRUE(reclaim_all());
  }
  ebr::on_backlog(0, 0, nullptr);
  {
    const Barrier barrier;
    retire(alive, 3 * kLimit);
  }
  EXPECT_EQ(told.size(), 3u) << "removed";
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(EbrBacklog, of_one_object_is_told_again_once_there_was_none) {
  ASSERT_TRUE(reclaim_all());
  Atomic<int> alive{0};
  int told = 0;
  ebr::on_backlog(1, 1u << 30, [&](const Stats&) { ++told; });
  for (int round = 1; round <= 3; ++round) {
    retire(alive, 1);
    ebr::collect();
    EXPECT_EQ(told, round);
    EXPECT_TRUE(reclaim_all());
    ebr::collect();  // looks at an empty backlog
  }
  ebr::on_backlog(0, 0, nullptr);
  EXPECT_TRUE(reclaim_all());
}

TEST(EbrBacklog, of_bytes_is_told_too) {
  ASSERT_TRUE(reclaim_all());
  Atomic<int> alive{0};
  int told = 0;
  ebr::on_backlog(~std::uint64_t{0}, 10u << 20, [&](const Stats&) { ++told; });
  for (int round = 1; round <= 2; ++round) {
    {
      const Barrier barrier;
      retire(alive, 20, 1u << 20);
    }
    EXPECT_EQ(told, round);
    EXPECT_TRUE(reclaim_all());
    ebr::collect();  // looks at an empty backlog
  }
  ebr::on_backlog(0, 0, nullptr);
  EXPECT_TRUE(reclaim_all());
}

}  // namespace
}  // namespace scree::test
