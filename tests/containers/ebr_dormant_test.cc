// SPDX-License-Identifier: Apache-2.0
//
// Garbage of threads that do nothing: whoever collects takes it, also when its owner wakes up in the middle of that.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <scree/ebr.h>
#include <scree/sync_point.h>

#include "reclaim.h"
#include "stop_at.h"
#include "worker.h"

namespace scree::test {
namespace {

using ebr::Barrier;
using ebr::detail::kAdvanceEvery;
using ebr::detail::kBagCapacity;
using ebr::detail::kDormantAfter;

void retire(Atomic<int>& alive, std::size_t objects = 1) {
  const Barrier barrier;
  for (; objects != 0; --objects) barrier.retire(new Counted(alive));
}

TEST(EbrDormant, thread_strands_nothing_when_another_collects) {
  Atomic<int> alive{0};
  Worker dormant;
  dormant.run([&] { retire(alive, 3 * kBagCapacity / 2); });
  EXPECT_GT(alive, 0);
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(EbrDormant, thread_strands_nothing_when_another_merely_retires) {
  Atomic<int> of_dormant{0}, of_this{0};
  Worker dormant;
  dormant.run([&] { retire(of_dormant, kBagCapacity / 2 + 1); });
  std::size_t bags = 0;
  for (; of_dormant != 0 && bags < kDormantAfter + 32 * kAdvanceEvery; ++bags) retire(of_this, kBagCapacity);
  EXPECT_EQ(of_dormant, 0);
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(of_this, 0);
}

TEST(EbrDormant, thread_that_suspends_is_relieved_by_the_next_advance) {
  Atomic<int> of_dormant{0}, of_this{0};
  Worker dormant;
  dormant.run([&] {
    retire(of_dormant, kBagCapacity / 2 + 1);
    ebr::suspend();
  });
  std::size_t bags = 0;
  for (; of_dormant != 0 && bags < 6 * kAdvanceEvery; ++bags) retire(of_this, kBagCapacity);
  EXPECT_EQ(of_dormant, 0) << "before it would have been taken for dormant";
  EXPECT_TRUE(reclaim_all());
}

TEST(EbrDormant, threads_do_not_let_the_garbage_of_a_busy_one_grow) {
  Atomic<int> of_dormant{0}, of_this{0};
  std::vector<std::unique_ptr<Worker>> dormant(50);
  for (auto& worker : dormant) {
    worker = std::make_unique<Worker>();
    worker->run([&] { retire(of_dormant); });
  }
  int most = 0;
  for (int n = 0; n < 200'000; ++n) {
    retire(of_this);
    most = std::max(most, of_this.load());
  }
  EXPECT_LT(most, 10'000);
  EXPECT_TRUE(reclaim_all());
}

TEST(EbrDormant, thread_inside_a_barrier_keeps_its_garbage_until_it_leaves) {
  Atomic<int> alive{0};
  Worker inside;
  std::optional<Barrier> held;
  inside.run([&] {
    held.emplace();
    retire(alive);
  });
  EXPECT_FALSE(reclaim_all(100));
  EXPECT_EQ(alive, 1);
  inside.run([&] { held.reset(); });
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(EbrDormant, thread_that_took_the_garbage_of_another_strands_nothing) {
  Atomic<int> alive{0};
  Worker owner, collector;
  owner.run([&] { retire(alive, kBagCapacity + 1); });
  {
    const Barrier keeps_it;
    collector.run([] { ebr::collect(); });
  }
  EXPECT_GT(alive, 0);
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

#if SCREE_SYNC_POINTS

// The owner wakes up when a collector has claimed its lists, at a step before or after it takes them.
class EbrClaim : public testing::TestWithParam<const char*> {};

TEST_P(EbrClaim, of_an_owner_that_wakes_up_loses_and_repeats_nothing) {
  Atomic<int> alive{0};
  Worker owner;
  owner.run([&] { retire(alive, kBagCapacity + 1); });
  bool reached = false;
  {
    const StopAt stop(GetParam(), [&] {
      reached = true;
      owner.run([&] { retire(alive, 2 * kBagCapacity + 1); });
    });
    ebr::collect();
  }
  EXPECT_TRUE(reached);
  owner.run([&] { retire(alive, kBagCapacity); });
  EXPECT_GT(alive, 0);
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

INSTANTIATE_TEST_SUITE_P(At, EbrClaim, testing::Values("ebr:advance:begun", "ebr:advance:fenced", "ebr:taking"),
                         [](const auto& step) {
                           std::string name;
                           for (const char* c = step.param; *c != 0; ++c) name += *c == ':' ? '_' : *c;
                           return name;
                         });

TEST(EbrClaimed, owner_that_exits_meanwhile_loses_nothing) {
  Atomic<int> alive{0};
  auto owner = std::make_unique<Worker>();
  owner->run([&] { retire(alive, kBagCapacity + 1); });
  {
    const StopAt stop("ebr:taking", [&] {
      owner->run([&] { retire(alive); });
      owner.reset();
    });
    ebr::collect();
  }
  EXPECT_EQ(owner, nullptr);
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

#endif

}  // namespace
}  // namespace scree::test
