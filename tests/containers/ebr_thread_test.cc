// SPDX-License-Identifier: Apache-2.0
//
// Reclamation across threads: exit, suspension, a stalled reader, and many threads at once.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
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

// The crate once used a thread's collector after it was gone; and here all of them begin and end with garbage in
// flight.
TEST(EbrThread, sixty_four_that_begin_and_end_in_a_loop_leak_nothing) {
  Atomic<int> alive{0};
  {
    AtomicArc<Counted> shared = AtomicArc<Counted>::make(alive, 0);
    constexpr int kAtOnce = 64, kRounds = 8;
    for (int round = 0; round < kRounds; ++round) {
      std::vector<std::thread> threads;
      for (int t = 0; t < kAtOnce; ++t) {
        threads.emplace_back([&, t] {
          struct AtExit {
            Atomic<int>* alive = nullptr;
            ~AtExit() {
              const Barrier barrier;
              barrier.retire(new Counted(*alive));
            }
          };
          thread_local AtExit at_exit;
          at_exit.alive = &alive;
          for (int n = 0; n < 20; ++n) {
            const Barrier barrier;
            const auto seen = shared.load(memory_order_acquire, barrier);
            EXPECT_GE(seen->value(), 0);
            shared.swap(Arc<Counted>::make(alive, n), ebr::Tag::kNone, memory_order_acq_rel);
            barrier.defer_execute([garbage = std::make_unique<Counted>(alive)] { EXPECT_GE(garbage->value(), 0); });
            if ((n + t) % 7 == 0) ebr::suspend();
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, 1);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

// A static object made before the domain is first used, and one made after: both may use it when they are destroyed.
TEST(EbrThread, may_use_barriers_in_destructors_of_statics) {
  struct AtExit {
    ~AtExit() {
      {
        const Barrier barrier;
        barrier.retire(new int(1));
        barrier.defer_execute([] { std::fputs("deferred\n", stderr); });
      }
      if (!reclaim_all(1000)) std::_Exit(3);
    }
  };
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        static const AtExit before;
        { const Barrier barrier; }
        static const AtExit after;
        std::exit(0);
      },
      testing::ExitedWithCode(0), "deferred\ndeferred");
}

}  // namespace
}  // namespace scree::test
