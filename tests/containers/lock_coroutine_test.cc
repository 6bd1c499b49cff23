// SPDX-License-Identifier: Apache-2.0
//
// Coroutines that wait for a lock, on one thread: who goes on when, and what becomes of those that are destroyed.

#include <gtest/gtest.h>

#include <atomic>
#include <coroutine>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <scree/ebr.h>
#include <scree/lock.h>

#include "stop_at.h"
#include "support/coroutine.h"

namespace scree::test {
namespace {

// Writes down who got the lock; keeps it until it is told.
class LockCoroutine : public testing::Test {
 protected:
  Coroutine writer(std::string name) { log_ += name + (co_await lock_.lock_async() ? "+" : "-"); }
  Coroutine reader(std::string name) { log_ += name + (co_await lock_.lock_shared_async() ? "+" : "-"); }
  Coroutine passer_by(std::string name) { log_ += name + (co_await lock_.until_released_async() ? "+" : "-"); }
  Coroutine passing_writer(std::string name) {
    const bool held = co_await lock_.lock_async();
    if (!held) co_return;
    log_ += name;
    nested_ += inside_++ != 0;
    lock_.unlock();
    --inside_;
  }
  std::string log() { return std::exchange(log_, {}); }

  Lock lock_;
  std::string log_;
  int inside_ = 0;  // coroutines that have been resumed and neither suspended nor ended
  int nested_ = 0;  // resumed within another
};

TEST_F(LockCoroutine, does_not_wait_for_a_free_lock) {
  const Coroutine a = writer("a");
  EXPECT_TRUE(a.is_done());
  EXPECT_FALSE(lock_.try_lock());
  lock_.unlock();
  const Coroutine b = reader("b");
  const Coroutine c = reader("c");
  EXPECT_TRUE(b.is_done() && c.is_done());
  EXPECT_EQ(log(), "a+b+c+");
  lock_.unlock_shared();
  lock_.unlock_shared();
}

TEST_F(LockCoroutine, goes_on_in_order_one_writer_or_all_readers_at_a_time) {
  ASSERT_TRUE(lock_.lock());
  const Coroutine coroutines[] = {writer("a"), reader("b"), reader("c"), writer("d"), reader("e"), writer("f")};
  EXPECT_EQ(log(), "");
  lock_.unlock();
  EXPECT_EQ(log(), "a+");
  lock_.unlock();
  EXPECT_EQ(log(), "b+c+");
  EXPECT_FALSE(lock_.try_lock_shared()) << "a reader does not overtake the writer d";
  lock_.unlock_shared();
  EXPECT_EQ(log(), "");
  lock_.unlock_shared();
  EXPECT_EQ(log(), "d+");
  lock_.unlock();
  EXPECT_EQ(log(), "e+");
  lock_.unlock_shared();
  EXPECT_EQ(log(), "f+");
  lock_.unlock();
  EXPECT_TRUE(lock_.try_lock());
  lock_.unlock();
}

TEST_F(LockCoroutine, waits_until_it_is_released_and_holds_nothing) {
  const Coroutine a = passer_by("a");
  EXPECT_EQ(log(), "a+") << "it is free";
  ASSERT_TRUE(lock_.lock());
  const Coroutine waiting[] = {passer_by("b"), passer_by("c"), writer("d"), passer_by("e")};
  Coroutine leaving = passer_by("f");
  leaving.destroy();
  EXPECT_EQ(log(), "");
  lock_.unlock();
  EXPECT_EQ(log(), "b+c+d+") << "those before the next one to hold it";
  lock_.unlock();
  EXPECT_EQ(log(), "e+");
  EXPECT_TRUE(lock_.try_lock());
  const Coroutine g = passer_by("g");
  {
    const ebr::Barrier barrier;
    lock_.unlock();
    EXPECT_TRUE(lock_.try_lock()) << "it need not go on before";
    EXPECT_EQ(log(), "");
  }
  EXPECT_EQ(log(), "g+");
  const Coroutine h = passer_by("h");
  lock_.kill();
  const Coroutine i = passer_by("i");
  EXPECT_EQ(log(), "h-i-");
}

TEST_F(LockCoroutine, is_not_resumed_within_another_one) {
  ASSERT_TRUE(lock_.lock());
  std::vector<Coroutine> coroutines;
  // Each lets on the next.
  for (int n = 0; n < 100'000; ++n) coroutines.push_back(passing_writer("."));
  lock_.unlock();
  EXPECT_EQ(log(), std::string(100'000, '.'));
  EXPECT_EQ(nested_, 0);
}

TEST_F(LockCoroutine, is_resumed_at_the_end_of_the_outermost_barrier) {
  ASSERT_TRUE(lock_.lock());
  const Coroutine a = writer("a");
  const Coroutine b = passing_writer("b");
  {
    const ebr::Barrier outer;
    {
      const ebr::Barrier inner;
      lock_.unlock();
    }
    EXPECT_EQ(log(), "");
  }
  EXPECT_EQ(log(), "a+");
  lock_.unlock();
  EXPECT_EQ(log(), "b");
}

// A listener runs in a barrier of the domain's own, here beneath no other.
TEST_F(LockCoroutine, that_a_listener_lets_on_is_resumed_after_it) {
  ASSERT_TRUE(lock_.lock());
  const Coroutine a = passing_writer("a");
  bool called = false;
  ebr::on_backlog(1, 1, [&](const ebr::Stats&) {
    if (!std::exchange(called, true)) lock_.unlock();
    EXPECT_EQ(log_, "");
  });
  {
    const ebr::Barrier barrier;
    barrier.retire(new int);
  }
  while (!called) ebr::collect();
  EXPECT_EQ(log(), "a");
  ebr::on_backlog(0, 0, {});
}

TEST_F(LockCoroutine, that_a_destructor_lets_on_is_resumed_outside_reclamation) {
  struct Unlocks {
    Lock& lock;
    ~Unlocks() { lock.unlock(); }
  };
  ASSERT_TRUE(lock_.lock());
  bool done = false;
  const auto enter = [](Lock& lock, bool& is_done) -> Coroutine {
    const bool held = co_await lock.lock_async();
    EXPECT_TRUE(held);
    EXPECT_TRUE(ebr::detail::this_record()->is_outside());
    is_done = true;
    lock.unlock();
  };
  const Coroutine a = enter(lock_, done);
  {
    const ebr::Barrier barrier;
    barrier.retire(new Unlocks{lock_});
  }
  while (ebr::collect()) {
  }
  EXPECT_TRUE(done);
}

TEST_F(LockCoroutine, is_told_that_the_lock_is_killed) {
  ASSERT_TRUE(lock_.lock());
  const Coroutine coroutines[] = {writer("a"), reader("b"), writer("c")};
  lock_.kill();
  EXPECT_EQ(log(), "a-b-c-");
  const Coroutine d = writer("d");
  const Coroutine e = reader("e");
  EXPECT_EQ(log(), "d-e-");
}

TEST_F(LockCoroutine, leaves_the_queue_when_it_is_destroyed) {
  // Any of four, in any place.
  for (unsigned destroyed = 0; destroyed < 16; ++destroyed) {
    ASSERT_TRUE(lock_.lock());
    Coroutine coroutines[] = {passing_writer("a"), passing_writer("b"), passing_writer("c"), passing_writer("d")};
    std::string expected;
    for (unsigned n = 0; n < 4; ++n) {
      if ((destroyed >> n & 1) != 0) {
        coroutines[n].destroy();
      } else {
        expected += static_cast<char>('a' + n);
      }
    }
    lock_.unlock();
    EXPECT_EQ(log(), expected);
    EXPECT_TRUE(lock_.try_lock());
    lock_.unlock();
  }
}

TEST_F(LockCoroutine, lets_readers_join_when_the_writer_before_them_is_destroyed) {
  ASSERT_TRUE(lock_.lock_shared());
  Coroutine a = writer("a");
  const Coroutine b = reader("b");
  const Coroutine c = reader("c");
  EXPECT_EQ(log(), "");
  a.destroy();
  EXPECT_EQ(log(), "b+c+");
  for (int n = 0; n < 3; ++n) lock_.unlock_shared();
  EXPECT_TRUE(lock_.try_lock());
  lock_.unlock();
}

TEST_F(LockCoroutine, passes_on_what_it_was_granted_when_it_is_destroyed) {
  ASSERT_TRUE(lock_.lock());
  Coroutine a = writer("a");
  const Coroutine b = passing_writer("b");
  {
    const ebr::Barrier barrier;
    lock_.unlock();  // to a, which is not resumed yet
    a.destroy();
  }
  EXPECT_EQ(log(), "b");
  EXPECT_TRUE(lock_.try_lock());
  lock_.unlock();
}

TEST_F(LockCoroutine, is_destroyed_before_it_is_told_that_the_lock_is_killed) {
  ASSERT_TRUE(lock_.lock());
  Coroutine a = writer("a");
  const Coroutine b = writer("b");
  {
    const ebr::Barrier barrier;
    lock_.kill();
    a.destroy();
  }
  EXPECT_EQ(log(), "b-");
}

// Keeps what it is given.
class Collects final : public ResumeHook {
 public:
  void resume(std::coroutine_handle<> coroutine) noexcept override { collected.push_back(coroutine); }
  std::vector<std::coroutine_handle<>> collected;
};

TEST_F(LockCoroutine, goes_to_the_hook_of_the_thread_on_which_it_began_to_wait) {
  ASSERT_TRUE(lock_.lock());
  Collects outer;
  Collects inner;
  Coroutine a;
  Coroutine b;
  Coroutine c;
  {
    const ResumeScope outer_scope(outer);
    {
      const ResumeScope inner_scope(inner);
      a = writer("a");
    }
    b = writer("b");
  }
  c = writer("c");
  std::thread([this] { lock_.unlock(); }).join();
  ASSERT_EQ(inner.collected.size(), 1u);
  EXPECT_EQ(inner.collected[0], a.handle());
  EXPECT_EQ(log(), "");
  inner.collected[0].resume();
  EXPECT_EQ(log(), "a+");
  lock_.unlock();
  ASSERT_EQ(outer.collected.size(), 1u);
  EXPECT_EQ(outer.collected[0], b.handle());
  outer.collected[0].resume();
  lock_.unlock();
  EXPECT_EQ(log(), "b+c+");
  lock_.unlock();
}

TEST_F(LockCoroutine, goes_to_the_hook_outside_barriers) {
  ASSERT_TRUE(lock_.lock());
  Collects hook;
  Coroutine a;
  {
    const ResumeScope scope(hook);
    a = writer("a");
  }
  {
    const ebr::Barrier barrier;
    lock_.unlock();
    EXPECT_TRUE(hook.collected.empty());
  }
  ASSERT_EQ(hook.collected.size(), 1u);
  hook.collected[0].resume();
  lock_.unlock();
}

TEST_F(LockCoroutine, that_its_hook_drops_passes_on_the_lock) {
  ASSERT_TRUE(lock_.lock());
  Collects hook;
  Coroutine a;
  {
    const ResumeScope scope(hook);
    a = writer("a");
  }
  const Coroutine b = passing_writer("b");
  lock_.unlock();
  ASSERT_EQ(hook.collected.size(), 1u);
  a.destroy();
  EXPECT_EQ(log(), "b");
  EXPECT_TRUE(lock_.try_lock());
  lock_.unlock();
}

// Threads and coroutines stand in one queue.
TEST_F(LockCoroutine, takes_turns_with_threads) {
  ASSERT_TRUE(lock_.lock());
  std::atomic<int> turns{0};
  std::vector<std::thread> threads;
  for (int n = 0; n < 3; ++n) {
    threads.emplace_back([&] {
      if (!lock_.lock()) return;
      ++turns;
      lock_.unlock();
    });
  }
  std::vector<Coroutine> coroutines;
  for (int n = 0; n < 3; ++n) coroutines.push_back(passing_writer("."));
  lock_.unlock();
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(lock_.lock());
  EXPECT_EQ(turns, 3);
  EXPECT_EQ(log(), "...");
  lock_.unlock();
}

#if SCREE_CHECKED

class LockCheckedDeathTest : public LockCoroutine {
 protected:
  LockCheckedDeathTest() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_F(LockCheckedDeathTest, a_coroutine_does_not_wait_inside_a_barrier) {
  ASSERT_TRUE(lock_.lock());
  EXPECT_DEATH(
      {
        const ebr::Barrier barrier;
        const Coroutine a = writer("a");
      },
      "is suspended while its thread holds a Barrier");
  lock_.unlock();
}

#if SCREE_SYNC_POINTS
TEST_F(LockCheckedDeathTest, a_coroutine_is_not_destroyed_while_it_is_being_resumed) {
  ASSERT_TRUE(lock_.lock());
  Coroutine a = writer("a");
  EXPECT_DEATH(
      {
        const StopAt stop("lock.resumes", [&] { a.destroy(); });
        lock_.unlock();
      },
      "destroyed while it is being resumed");
  lock_.unlock();
  lock_.unlock();
}
#endif

#endif

}  // namespace
}  // namespace scree::test
