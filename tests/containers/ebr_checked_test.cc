// SPDX-License-Identifier: Apache-2.0
//
// Checked builds end the program where a borrowed pointer or a barrier is misused. Only where SCREE_CHECKED is 1.

#include <gtest/gtest.h>

#if SCREE_CHECKED

#include <coroutine>
#include <memory>
#include <optional>
#include <thread>

#include <scree/ebr.h>

#include "support/coroutine.h"

namespace scree::test {
namespace {

using ebr::AtomicArc;
using ebr::AtomicOwned;
using ebr::Barrier;
using ebr::Ptr;

class EbrCheckedDeathTest : public testing::Test {
 protected:
  EbrCheckedDeathTest() { testing::FLAGS_gtest_death_test_style = "threadsafe"; }

  const AtomicArc<int> shared_ = AtomicArc<int>::make(1);
};

TEST_F(EbrCheckedDeathTest, a_pointer_ends_with_its_barrier) {
  Ptr<int> ptr;
  {
    const Barrier barrier;
    ptr = shared_.load(memory_order_acquire, barrier);
    EXPECT_EQ(*ptr, 1);
  }
  EXPECT_DEATH((void)*ptr, "after its Barrier ended");
  EXPECT_DEATH((void)ptr.as_ref(), "after its Barrier ended");
  EXPECT_DEATH(ptr.get_arc(), "after its Barrier ended");
  const Barrier another;
  EXPECT_DEATH((void)*ptr, "after its Barrier ended");
}

TEST_F(EbrCheckedDeathTest, a_pointer_ends_with_its_barrier_also_inside_another) {
  const Barrier outer;
  auto inner = std::make_unique<Barrier>();
  const AtomicOwned<int> owned = AtomicOwned<int>::make(2);
  const auto ptr = owned.load(memory_order_acquire, *inner);
  const auto of_outer = owned.load(memory_order_acquire, outer);
  inner.reset();
  EXPECT_DEATH((void)*ptr, "after its Barrier ended");
  EXPECT_EQ(*of_outer, 2);
}

TEST_F(EbrCheckedDeathTest, a_pointer_stays_on_its_thread) {
  const Barrier barrier;
  const Ptr<int> ptr = shared_.load(memory_order_acquire, barrier);
  EXPECT_DEATH(std::thread([&] { (void)*ptr; }).join(), "on a thread that did not borrow it");
  EXPECT_DEATH(std::thread([&] { shared_.load(memory_order_acquire, barrier); }).join(),
               "on a thread that did not make it");
}

TEST_F(EbrCheckedDeathTest, a_pointer_does_not_pass_for_one_of_the_next_thread_with_the_same_record) {
  Ptr<int> stale;
  { const Barrier of_this_threads_own_record; }
  std::thread([&] {
    const Barrier barrier;
    stale = shared_.load(memory_order_acquire, barrier);
  }).join();
  EXPECT_DEATH(std::thread([&] {
                 const Barrier barrier;
                 (void)*stale;
               }).join(),
               "after its Barrier ended|on a thread that did not borrow it");
}

TEST_F(EbrCheckedDeathTest, an_expected_pointer_is_checked_too) {
  AtomicArc<int> mine = AtomicArc<int>::make(1);
  Ptr<int> stale;
  {
    const Barrier barrier;
    stale = mine.load(memory_order_acquire, barrier);
  }
  const Barrier barrier;
  EXPECT_DEATH(mine.compare_exchange(stale, {}, ebr::Tag::kNone, memory_order_acq_rel, memory_order_acquire, barrier),
               "after its Barrier ended");
}

TEST_F(EbrCheckedDeathTest, a_barrier_ends_on_its_thread) {
  EXPECT_DEATH(
      {
        auto barrier = std::make_unique<Barrier>();
        std::thread([&] { barrier.reset(); }).join();
      },
      "on a thread that did not make it");
  EXPECT_DEATH(
      {
        const Barrier barrier;
        std::thread([&] { barrier.retire(new int); }).join();
      },
      "on a thread that did not make it");
}

// As this project's awaitables do it.
struct CheckedSuspension {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<>) const noexcept { ebr::check_suspension(); }
  void await_resume() const noexcept {}
};

Coroutine borrows_across(const AtomicArc<int>& shared, bool checked, int* seen) {
  const Barrier barrier;
  const Ptr<int> ptr = shared.load(memory_order_acquire, barrier);
  if (checked) {
    co_await CheckedSuspension();
  } else {
    co_await std::suspend_always();
  }
  *seen = *ptr;
}

Coroutine borrows_between(const AtomicArc<int>& shared, int* seen) {
  for (int n = 0; n < 2; ++n) {
    {
      const Barrier barrier;
      *seen += *shared.load(memory_order_acquire, barrier);
    }
    co_await CheckedSuspension();
  }
}

TEST_F(EbrCheckedDeathTest, a_coroutine_is_not_suspended_inside_a_barrier) {
  int seen = 0;
  EXPECT_DEATH(borrows_across(shared_, true, &seen), "is suspended while its thread holds a Barrier");
  Coroutine task = borrows_between(shared_, &seen);
  task.resume();
  task.resume();
  EXPECT_EQ(seen, 2);
}

TEST_F(EbrCheckedDeathTest, a_pointer_does_not_move_to_the_thread_that_resumes_a_coroutine) {
  int seen = 0;
  EXPECT_DEATH(
      {
        Coroutine task = borrows_across(shared_, false, &seen);
        std::thread([&] { task.resume(); }).join();
      },
      "on a thread that did not borrow it");
}

}  // namespace
}  // namespace scree::test

#endif
