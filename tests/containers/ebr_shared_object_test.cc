// SPDX-License-Identifier: Apache-2.0
//
// One domain per process: shared objects that hide their symbols, and are opened so that theirs are not seen by others,
// use the same one as the program.

#include <gtest/gtest.h>

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <scree/detail/block_arena.h>
#include <scree/ebr.h>

#include "ebr_shared_object.h"
#include "reclaim.h"
#include "shared_object.h"
#include "worker.h"

namespace scree::test {
namespace {

struct EbrObject : SharedObject {
  using SharedObject::SharedObject;

  decltype(&enter_barrier) enter = function<decltype(enter_barrier)>("enter_barrier");
  decltype(&exit_barrier) exit = function<decltype(exit_barrier)>("exit_barrier");
  decltype(&retire_counted) retire = function<decltype(retire_counted)>("retire_counted");
  decltype(&collect_garbage) collect = function<decltype(collect_garbage)>("collect_garbage");
  decltype(&pending_objects) pending = function<decltype(pending_objects)>("pending_objects");
  decltype(&arena) arena_of = function<decltype(arena)>("arena");
};

struct TwoObjects : testing::Test {
  EbrObject a{SCREE_SHARED_OBJECT_A};
  EbrObject b{SCREE_SHARED_OBJECT_B};
};

TEST_F(TwoObjects, have_one_domain_with_the_program) {
  ASSERT_NE(a.enter, b.enter) << "two objects, not one opened twice";
  Atomic<int> alive{0};
  {
    const ebr::Barrier barrier;
    barrier.retire(new Counted(alive));
  }
  EXPECT_EQ(a.pending(), 1u);
  EXPECT_EQ(b.pending(), 1u);
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(b.pending(), 0u);
}

// A block that one of them frees may be another's, and is under the lock of its arena.
TEST_F(TwoObjects, have_one_arena_with_the_program) {
  EXPECT_EQ(a.arena_of(), &detail::block_arena);
  EXPECT_EQ(b.arena_of(), &detail::block_arena);
}

TEST_F(TwoObjects, hold_back_each_others_garbage_and_free_it) {
  Worker reader;
  reader.run([this] { a.enter(); });
  int alive = 0;
  b.retire(&alive);
  Atomic<int> of_the_program{0};
  {
    const ebr::Barrier barrier;
    barrier.retire(new Counted(of_the_program));
  }
  for (int n = 0; n < 100; ++n) EXPECT_TRUE(b.collect());
  EXPECT_EQ(alive, 1);
  EXPECT_EQ(of_the_program, 1);
  reader.run([this] { a.exit(); });
  while (a.collect()) {
  }
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(of_the_program, 0);
}

TEST_F(TwoObjects, share_a_threads_record_and_hand_it_over_at_its_exit) {
  std::optional<ebr::Barrier> of_this_thread(std::in_place);
  const auto before = ebr::stats().threads;
  int alive = 0;
  {
    Worker worker;
    worker.run([&] {
      a.retire(&alive);
      b.retire(&alive);
      const ebr::Barrier barrier;
    });
    EXPECT_EQ(ebr::stats().threads, before + 1);
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(ebr::stats().threads, before);
  EXPECT_EQ(ebr::stats().pending_objects, 2u);
  of_this_thread.reset();
  EXPECT_TRUE(reclaim_all());  // it refers to `alive`
}

// The first user of the domain in the process sets it up. Its code may not go with it: threads still end, and processes
// fork.
TEST(SharedObjectDeathTest, may_be_closed_once_nothing_waits) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        void* const handle = ::dlopen(SCREE_SHARED_OBJECT_A, RTLD_NOW | RTLD_LOCAL);
        const auto call = [handle](const char* name) { return ::dlsym(handle, name); };
        const auto retire = reinterpret_cast<decltype(&retire_counted)>(call("retire_counted"));
        const auto collect = reinterpret_cast<decltype(&collect_garbage)>(call("collect_garbage"));
        Worker worker;
        int alive = 0;
        worker.run([&] { retire(&alive); });
        while (collect()) {
        }
        ::dlclose(handle);
        worker.run(nullptr);  // ends the thread
        std::fputs("ended\n", stderr);
        std::_Exit(alive == 0 ? 0 : 1);
      },
      testing::ExitedWithCode(0), "ended");
}

}  // namespace
}  // namespace scree::test
