// SPDX-License-Identifier: Apache-2.0
//
// Reclamation across threads: exit, suspension, a stalled reader, and many threads at once.

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include <scree/ebr.h>

#include "reclaim.h"
#include "support/start_line.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

using ebr::Arc;
using ebr::AtomicArc;
using ebr::Barrier;

TEST(EbrThread, hands_its_garbage_over_when_it_exits) {
  { const Barrier of_its_own_record; }  // else this thread would take over the record of the other one
  Atomic<int> alive{0};
  std::thread([&alive] {
    const Barrier barrier;
    barrier.retire(new Counted(alive));
  }).join();
  EXPECT_EQ(alive, 1);
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(EbrThread, hands_its_garbage_over_when_it_suspends) {
  Atomic<int> alive{0};
  WaitingThread dormant([&alive](auto pause) {
    {
      const Barrier barrier;
      barrier.retire(new Counted(alive));
    }
    ebr::suspend();
    pause();
  });
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
  dormant.finish();
}

TEST(EbrThread, that_never_entered_a_barrier_may_suspend) {
  std::thread([] { ebr::suspend(); }).join();
}

// Destructors of thread_local objects run before the thread's record is handed over.
TEST(EbrThread, may_use_barriers_in_destructors_of_thread_locals) {
  static Atomic<int> alive{0};
  struct AtExit {
    ~AtExit() {
      const Barrier barrier;
      barrier.retire(new Counted(alive));
    }
  };
  std::thread([] {
    thread_local AtExit before;
    (void)before;
    { const Barrier barrier; }
    thread_local AtExit after;
    (void)after;
  }).join();
  EXPECT_EQ(alive, 2);
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(EbrThread, a_stalled_reader_only_lets_garbage_wait) {
  Atomic<int> alive{0};
  {
    AtomicArc<Counted> shared = AtomicArc<Counted>::make(alive, 0);
    int seen = -1;
    WaitingThread reader([&](auto pause) {
      const Barrier barrier;
      const auto ptr = shared.load(memory_order_acquire, barrier);
      pause();
      seen = ptr->value();
    });
    constexpr int kSwaps = 3000;
    for (int n = 1; n <= kSwaps; ++n) {
      shared.swap(Arc<Counted>::make(alive, n), ebr::Tag::kNone, memory_order_acq_rel);
    }
    EXPECT_EQ(alive, kSwaps + 1);
    reader.finish();
    EXPECT_EQ(seen, 0) << "what it had borrowed was still there";
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, 1);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

// Readers check what they borrow while writers replace it; destructors spoil the value.
TEST(EbrThread, readers_never_see_a_freed_instance) {
  Atomic<int> alive{0};
  constexpr std::size_t kSlots = 4, kThreads = 3;
  constexpr int kRounds = 4000;
  {
    std::vector<AtomicArc<Counted>> slots(kSlots);
    StartLine start(kThreads);
    std::vector<std::thread> threads;
    Atomic<int> wrong{0};
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        start.wait();
        for (int n = 0; n < kRounds; ++n) {
          const std::size_t slot = (static_cast<std::size_t>(n) * 7 + t) % kSlots;
          if (n % 4 == 0) {
            slots[slot].swap(Arc<Counted>::make(alive, n), ebr::Tag::kNone, memory_order_acq_rel);
          } else if (n % 4 == 1) {
            const Barrier barrier;
            const Arc<Counted> owned = slots[slot].get_arc(memory_order_acquire, barrier);
            if (owned && owned->value() < 0) ++wrong;
          } else {
            const Barrier barrier;
            const auto ptr = slots[slot].load(memory_order_acquire, barrier);
            if (ptr && ptr->value() < 0) ++wrong;
          }
          if (n % 512 == 0) ebr::suspend();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(EbrThread, many_short_threads_reuse_records_and_leak_nothing) {
  Atomic<int> alive{0};
  for (int n = 0; n < 200; ++n) {
    std::thread([&alive] {
      const Barrier barrier;
      for (int i = 0; i < 10; ++i) barrier.retire(new Counted(alive));
    }).join();
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace scree::test
