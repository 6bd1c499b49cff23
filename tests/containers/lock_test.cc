// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <latch>
#include <string_view>
#include <thread>
#include <vector>

#include <scree/lock.h>
#include <scree/sync_point.h>

#include "run_threads.h"

namespace scree::test {
namespace {

TEST(Lock, is_one_word_and_needs_no_construction) {
  static_assert(sizeof(Lock) == 8);
  static constinit Lock lock;
  EXPECT_TRUE(lock.lock());
  lock.unlock();
}

TEST(Lock, held_exclusively_excludes_everybody) {
  Lock lock;
  ASSERT_TRUE(lock.lock());
  EXPECT_FALSE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock_shared());
  lock.unlock();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST(Lock, held_shared_admits_readers_only) {
  Lock lock;
  ASSERT_TRUE(lock.lock_shared());
  EXPECT_TRUE(lock.try_lock_shared());
  EXPECT_FALSE(lock.try_lock());
  lock.unlock_shared();
  EXPECT_FALSE(lock.try_lock());
  lock.unlock_shared();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST(Lock, killed_admits_nobody) {
  Lock lock;
  ASSERT_TRUE(lock.lock());
  EXPECT_FALSE(lock.is_killed());
  lock.kill();
  EXPECT_TRUE(lock.is_killed());
  EXPECT_FALSE(lock.lock());
  EXPECT_FALSE(lock.lock_shared());
  EXPECT_FALSE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock_shared());
  EXPECT_TRUE(lock.is_killed());
}

constexpr int kThreads = 4;
#if SCREE_UNDER_TSAN
constexpr int kRounds = 2'000;
#else
constexpr int kRounds = 20'000;
#endif

TEST(Lock, orders_the_accesses_of_writers_and_readers) {
  Lock lock;
  std::int64_t left = 0;
  std::int64_t right = 0;
  std::atomic<int> torn{0};
  run_threads(kThreads, [&](std::size_t t) {
    for (int n = 0; n < kRounds; ++n) {
      if ((static_cast<std::size_t>(n) + t) % 3 == 0) {
        if (!lock.lock_shared()) ++torn;
        if (left != right) ++torn;
        lock.unlock_shared();
      } else {
        if (!lock.lock()) ++torn;
        ++left;
        ++right;
        lock.unlock();
      }
    }
  });
  EXPECT_EQ(torn, 0);
  std::int64_t expected = 0;
  for (int t = 0; t < kThreads; ++t) {
    for (int n = 0; n < kRounds; ++n) expected += (n + t) % 3 != 0;
  }
  EXPECT_EQ(left, expected);
  EXPECT_EQ(right, expected);
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

// A writer among threads that do `other(lock)` again and again. Hangs if it can be passed over for ever.
void expect_is_had_beside(void (*other)(Lock& lock)) {
  Lock lock;
  std::atomic<bool> stop{false};
  run_threads(kThreads, [&](std::size_t t) {
    if (t == 0) {
      for (int n = 0; n < 100; ++n) {
        EXPECT_TRUE(lock.lock());
        lock.unlock();
      }
      stop = true;
    }
    while (!stop) other(lock);
  });
}
TEST(Lock, is_had_by_a_writer_beside_writers_that_never_stop) {
  expect_is_had_beside([](Lock& lock) {
    if (lock.lock()) lock.unlock();
  });
}
TEST(Lock, is_had_by_a_writer_beside_readers_that_never_stop) {
  expect_is_had_beside([](Lock& lock) {
    if (lock.lock_shared()) lock.unlock_shared();
  });
}
// They look, find it held or waited for, and are no reason for it not to be free.
TEST(Lock, is_had_by_a_writer_beside_threads_that_never_stop_trying) {
  expect_is_had_beside([](Lock& lock) {
    if (lock.try_lock_shared()) lock.unlock_shared();
  });
}

TEST(Lock, that_is_killed_lets_all_waiting_threads_go) {
  Lock lock;
  ASSERT_TRUE(lock.lock());
  int replacement = 0;
  std::atomic<int> told{0};
  std::latch all_run(kThreads + 1);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      all_run.arrive_and_wait();
      const bool held = t % 2 == 0 ? lock.lock() : lock.lock_shared();
      if (!held && replacement == 1) ++told;
    });
  }
  all_run.arrive_and_wait();
  replacement = 1;
  lock.kill();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(told, kThreads);
}

TEST(Lock, is_held_shared_by_so_many_and_the_next_waits) {
  constexpr int kMost = 8191;
  Lock lock;
  for (int n = 0; n < kMost; ++n) ASSERT_TRUE(lock.try_lock_shared());
  EXPECT_FALSE(lock.try_lock_shared());
  EXPECT_FALSE(lock.try_lock());
  std::thread one_more([&] {
    ASSERT_TRUE(lock.lock_shared());
    lock.unlock_shared();
  });
  for (int n = 0; n < kMost; ++n) lock.unlock_shared();
  one_more.join();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

#if SCREE_SYNC_POINTS

// Whenever it has queued, the lock is released, so that it is woken, and taken again before it can try.
TEST(Lock, is_handed_to_a_thread_that_has_been_overtaken_so_often) {
  static Lock lock;
  static int overtaken;
  overtaken = 0;
  constexpr int kTooOften = 100;
  ASSERT_TRUE(lock.lock());
  sync_point_hook.store(
      [](const char* name) {
        if (std::string_view(name) != "lock.parks") return;
        lock.unlock();
        if (overtaken < kTooOften && lock.try_lock()) ++overtaken;
      },
      memory_order_release);
  EXPECT_TRUE(lock.lock());
  sync_point_hook.store(nullptr, memory_order_release);
  EXPECT_EQ(overtaken, detail::kMostLosses);
  lock.unlock();
}

#endif

// An object that the last of its users destroys, right after it has released the lock within.
TEST(Lock, may_be_destroyed_after_the_last_release) {
  struct Counted {
    Lock lock;
    int users = 2;
  };
  for (int n = 0; n < kRounds / 20; ++n) {
    auto* const counted = new Counted;
    const auto use = [counted] {
      if (!counted->lock.lock()) return;
      const bool last = --counted->users == 0;
      counted->lock.unlock();
      if (last) delete counted;
    };
    std::thread other(use);
    use();
    other.join();
  }
}

}  // namespace
}  // namespace scree::test
