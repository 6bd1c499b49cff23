// SPDX-License-Identifier: Apache-2.0
//
// What a barrier promises: nothing that could be reached under it is freed before it ends, all of it is afterwards.

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include <scree/ebr.h>

#include "reclaim.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

TEST(Barrier, keeps_what_is_retired_under_it_until_it_ends) {
  Atomic<int> alive{0};
  {
    const ebr::Barrier barrier;
    const auto* counted = new Counted(alive, 7);
    barrier.retire(counted);
    EXPECT_FALSE(reclaim_all(100));
    EXPECT_EQ(alive, 1);
    EXPECT_EQ(counted->value(), 7);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(Barrier, of_another_thread_keeps_what_is_retired_while_it_is_held) {
  Atomic<int> alive{0};
  WaitingThread reader([](auto pause) {
    const ebr::Barrier barrier;
    pause();
  });
  {
    const ebr::Barrier barrier;
    for (int n = 0; n < 2000; ++n) barrier.retire(new Counted(alive));
  }
  EXPECT_FALSE(reclaim_all(100));
  EXPECT_EQ(alive, 2000);
  reader.finish();
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(Barrier, that_began_after_a_retirement_does_not_keep_it) {
  Atomic<int> alive{0};
  {
    const ebr::Barrier barrier;
    barrier.retire(new Counted(alive));
  }
  ebr::collect();  // seals it, so that a later barrier cannot have reached it
  WaitingThread reader([](auto pause) {
    const ebr::Barrier barrier;
    pause();
  });
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
  reader.finish();
}

TEST(Barrier, nests) {
  Atomic<int> alive{0};
  {
    const ebr::Barrier outer;
    { const ebr::Barrier inner; }
    outer.retire(new Counted(alive));
    { const ebr::Barrier inner; }
    EXPECT_FALSE(reclaim_all(100)) << "the outer barrier is still held";
    EXPECT_EQ(alive, 1);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(Barrier, may_end_before_one_that_began_later) {
  Atomic<int> alive{0};
  auto first = std::make_unique<ebr::Barrier>();
  auto second = std::make_unique<ebr::Barrier>();
  second->retire(new Counted(alive));
  first.reset();
  EXPECT_FALSE(reclaim_all(100));
  EXPECT_EQ(alive, 1);
  second.reset();
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(Barrier, garbage_is_collected_while_it_is_made) {
  Atomic<int> alive{0};
  int most = 0;
  for (int n = 0; n < 10'000; ++n) {
    const ebr::Barrier barrier;
    barrier.retire(new Counted(alive));
    most = std::max(most, alive.load());
  }
  EXPECT_LT(most, 2000) << "nobody held a barrier for long";
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(Barrier, may_be_ended_by_the_destructor_of_something_that_was_retired) {
  struct Ends {
    std::unique_ptr<ebr::Barrier>* barrier;
    ~Ends() { barrier->reset(); }
  };
  Atomic<int> alive{0};
  std::unique_ptr<ebr::Barrier> barrier;
  for (int n = 0; n < 5000; ++n) {
    if (barrier == nullptr) barrier = std::make_unique<ebr::Barrier>();
    barrier->retire(new Counted(alive));
    if (barrier == nullptr) barrier = std::make_unique<ebr::Barrier>();
    barrier->retire(new Ends{&barrier});
  }
  barrier.reset();
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(Barrier, no_retirement_pays_for_a_backlog_and_all_of_them_shrink_it) {
  constexpr int kBacklog = 20'000;
  Atomic<int> alive{0};
  {
    const ebr::Barrier holds_all_back;
    for (int n = 0; n < kBacklog; ++n) holds_all_back.retire(new Counted(alive));
  }
  EXPECT_EQ(alive, kBacklog);
  int calls = 0;
  for (; alive > kBacklog / 2 && calls < kBacklog; ++calls) {
    const ebr::Barrier barrier;
    auto* const garbage = new Counted(alive);
    const int before = alive;
    barrier.retire(garbage);
    ASSERT_LE(before - alive, 4);
  }
  EXPECT_LT(calls, kBacklog / 2);
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(Barrier, heavy_garbage_is_collected_sooner) {
  Atomic<int> alive{0};
  int most = 0;
  for (int n = 0; n < 100; ++n) {
    const ebr::Barrier barrier;
    barrier.retire(
        new Counted(alive), [](void* p) { delete static_cast<Counted*>(p); }, 1 << 20);
    most = std::max(most, alive.load());
  }
  EXPECT_LT(most, 10);
  EXPECT_TRUE(reclaim_all());
}

TEST(DeferExecute, runs_once_after_the_barrier) {
  Atomic<int> runs{0};
  {
    const ebr::Barrier barrier;
    barrier.defer_execute([&runs] { ++runs; });
    reclaim_all(100);
    EXPECT_EQ(runs, 0);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(runs, 1);
}

TEST(DeferExecute, takes_a_function_that_only_moves) {
  int seen = 0;
  {
    const ebr::Barrier barrier;
    barrier.defer_execute([&seen, value = std::make_unique<int>(5)] { seen = *value; });
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(seen, 5);
}

TEST(DeferExecute, may_defer_more) {
  std::vector<int> order;
  {
    const ebr::Barrier barrier;
    barrier.defer_execute([&order] {
      order.push_back(1);
      const ebr::Barrier inner;
      inner.defer_execute([&order] { order.push_back(2); });
    });
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

// The document's example: it runs again until it returns true.
TEST(DeferIncrementalExecute, runs_until_it_returns_true) {
  int runs = 0;
  {
    const ebr::Barrier barrier;
    barrier.defer_incremental_execute([&runs, data = 3]() mutable {
      ++runs;
      if (data == 0) return true;
      --data;
      return false;
    });
  }
  EXPECT_EQ(runs, 0);
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(runs, 4);
}

TEST(DeferIncrementalExecute, waits_for_a_grace_period_before_each_run) {
  int runs = 0;
  {
    const ebr::Barrier barrier;
    barrier.defer_incremental_execute([&runs] { return ++runs == 10; });
  }
  ebr::collect();
  EXPECT_EQ(runs, 1);
  {
    const ebr::Barrier barrier;
    ebr::collect();
    EXPECT_EQ(runs, 1) << "retired again before this barrier began, but not sealed";
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(runs, 10);
}

}  // namespace
}  // namespace scree::test
