// SPDX-License-Identifier: Apache-2.0
//
// A lock that two shared objects and the program have in common: whoever waits through one is let on through another.

#include <gtest/gtest.h>

#include <thread>

#include <scree/ebr.h>
#include <scree/lock.h>

#include "lock_shared_object.h"
#include "shared_object.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

struct LockObject : SharedObject {
  using SharedObject::SharedObject;

  decltype(&acquire) lock = function<decltype(acquire)>("acquire");
  decltype(&release) unlock = function<decltype(release)>("release");
  decltype(&acquire_shared) lock_shared = function<decltype(acquire_shared)>("acquire_shared");
  decltype(&release_shared) unlock_shared = function<decltype(release_shared)>("release_shared");
  decltype(&release_inside_a_barrier) unlock_inside_a_barrier =
      function<decltype(release_inside_a_barrier)>("release_inside_a_barrier");
  decltype(&begin_to_wait) begin = function<decltype(begin_to_wait)>("begin_to_wait");
  decltype(&stop_waiting) stop = function<decltype(stop_waiting)>("stop_waiting");
};

struct LockOfTwoObjects : testing::Test {
  void expect_free() {
    EXPECT_TRUE(lock.try_lock());
    lock.unlock();
  }

  LockObject a{SCREE_SHARED_OBJECT_A};
  LockObject b{SCREE_SHARED_OBJECT_B};
  Lock lock;
};

TEST_F(LockOfTwoObjects, lets_on_a_thread_that_waits_through_the_other) {
  ASSERT_NE(a.lock, b.lock) << "two objects, not one opened twice";
  ASSERT_TRUE(b.lock_shared(&lock));
  bool held = false;
  std::thread waiter([&] {
    held = a.lock(&lock);
    a.unlock(&lock);
  });
  // Readers do not overtake a writer that waits: once it does, nobody else gets in.
  while (lock.try_lock_shared()) {
    lock.unlock_shared();
    std::this_thread::yield();
  }
  b.unlock_shared(&lock);
  waiter.join();
  EXPECT_TRUE(held);
  expect_free();
}

TEST_F(LockOfTwoObjects, lets_on_a_coroutine_that_waits_through_the_other) {
  int held = 0;
  ASSERT_TRUE(lock.try_lock());
  a.begin(&lock, &held);
  EXPECT_EQ(held, 0);
  b.unlock(&lock);
  EXPECT_EQ(held, 1);
  expect_free();
  a.stop();
}

// The thread's barriers and its ready list are the same in all objects.
TEST_F(LockOfTwoObjects, lets_it_on_at_the_end_of_the_outermost_barrier) {
  int held = 0;
  ASSERT_TRUE(lock.try_lock());
  a.begin(&lock, &held);
  {
    const ebr::Barrier barrier;
    EXPECT_TRUE(b.unlock_inside_a_barrier(&lock, &held));
    EXPECT_EQ(held, 0) << "the program holds a barrier";
  }
  EXPECT_EQ(held, 1);
  expect_free();
  a.stop();
}

TEST_F(LockOfTwoObjects, forgets_a_coroutine_that_is_destroyed_while_another_thread_is_to_let_it_on) {
  int held = 0;
  ASSERT_TRUE(lock.try_lock());
  a.begin(&lock, &held);
  WaitingThread inside([&](const auto& pause) {
    const ebr::Barrier barrier;
    b.unlock(&lock);
    pause();
  });
  ASSERT_TRUE(inside.is_paused());
  a.stop();
  inside.finish();
  EXPECT_EQ(held, 0);
  expect_free();
}

}  // namespace
}  // namespace scree::test
