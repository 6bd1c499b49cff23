// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <scree/linked_list.h>

#include "jitter.h"
#include "linked_list_node.h"
#include "reclaim.h"
#include "run_threads.h"
#include "stop_at.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

using ebr::Barrier;

#if SCREE_SMALL_CAPACITIES
constexpr int kRounds = 2'000;
#else
constexpr int kRounds = 20'000;
#endif

// Of the nodes 1.. those that `stays` are never deleted. Writers push and delete others between them, at random places;
// walkers expect to meet all that stay, in order, each once.
TEST(LinkedListConcurrency, what_stays_is_found_by_every_walk) {
  constexpr int kStaying = 8;
  const Jitter jitter;
  Atomic<int> alive{0};
  {
    const Node head(0);
    {
      const Barrier barrier;
      for (int n = kStaying; n >= 1; --n) head.push_back(ebr::Arc<Node>::make(n, &alive), false, barrier);
    }
    Atomic<int> writing{2};
    Atomic<std::uint64_t> deleted{0}, pushed{0};
    run_threads(4, [&](int me) {
      if (me < 2) {
        std::uint64_t random = static_cast<std::uint64_t>(me) + 1;
        for (int round = 0; round < kRounds; ++round) {
          random = random * 6364136223846793005u + 1442695040888963407u;
          const Barrier barrier;
          // Walks a little, then does something there.
          const Node* at = &head;
          for (std::uint64_t steps = (random >> 40) % 20; steps != 0; --steps) {
            const auto next = at->next_ptr(barrier);
            if (!next) break;
            at = next.as_ref();
          }
          const bool push = (random >> 60) < 7;
          if (push) {
            const auto result = at->push_back(ebr::Arc<Node>::make(1000, &alive), (random >> 59) % 2 == 0, barrier);
            pushed += result ? 1 : 0;
            EXPECT_NE(result.entry.is_null(), !result);
          } else if (at->number == 1000) {
            deleted += at->delete_self() ? 1 : 0;
          } else {
            at->mark(), at->unmark();
          }
        }
        --writing;
        return;
      }
      while (writing != 0) {
        const Barrier barrier;
        std::vector<int> met = numbers_behind(head, barrier);
        std::erase(met, 1000);
        ASSERT_EQ(met, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
      }
    });
    const Barrier barrier;
    const auto left = numbers_behind(head, barrier);
    EXPECT_EQ(left.size() - kStaying, pushed - deleted) << "nothing is lost, nothing comes back";
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

// Several threads delete the same nodes, neighbours included, while others walk.
TEST(LinkedListConcurrency, each_node_is_deleted_by_one_and_none_comes_back) {
  const Jitter jitter;
  Atomic<int> alive{0};
  for (int round = 0; round < kRounds / 100; ++round) {
    constexpr int kNodes = 64;
    const Node head(0);
    std::vector<ebr::Arc<Node>> nodes;
    {
      const Barrier barrier;
      for (int n = kNodes; n >= 1; --n) {
        nodes.push_back(ebr::Arc<Node>::make(n, &alive));
        head.push_back(nodes.back().clone(), false, barrier);
      }
    }
    Atomic<int> deletions{0};
    run_threads(4, [&](int me) {
      for (int n = 0; n < kNodes; ++n) {
        const Barrier barrier;
        // Two go through it one way, two the other way; every eighth stays.
        const ebr::Arc<Node>& node = nodes[static_cast<std::size_t>(me % 2 == 0 ? n : kNodes - 1 - n)];
        if (node->number % 8 == 0) continue;
        deletions += node->delete_self() ? 1 : 0;
        if (me < 2) {
          const auto met = numbers_behind(head, barrier);
          ASSERT_EQ(std::count(met.begin(), met.end(), node->number), 0) << "deleted before the walk";
          ASSERT_EQ(std::count_if(met.begin(), met.end(), [](int number) { return number % 8 == 0; }), kNodes / 8);
        }
      }
    });
    EXPECT_EQ(deletions, kNodes - kNodes / 8);
    const Barrier barrier;
    EXPECT_EQ(numbers_behind(head, barrier), (std::vector<int>{8, 16, 24, 32, 40, 48, 56, 64}));
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

#if SCREE_SYNC_POINTS

// A thread is stopped before its exchange while the neighbourhood changes.
TEST(LinkedListStopped, before_an_unlink_does_no_harm_to_what_changed_meanwhile) {
  Atomic<int> alive{0};
  {
    const Node head(0);
    {
      const Barrier barrier;
      for (int n = 4; n >= 1; --n) head.push_back(ebr::Arc<Node>::make(n, &alive), false, barrier);
      head.next_ptr(barrier)->delete_self();
    }
    int seen = 0;
    WaitingThread stopped([&](auto pause) {
      const StopAt stop("linked_list:unlinking", pause);
      const Barrier barrier;
      seen = head.next_ptr(barrier)->number;
    });
    ASSERT_TRUE(stopped.is_paused());
    {
      const Barrier barrier;
      EXPECT_TRUE(head.push_back(ebr::Arc<Node>::make(9, &alive), true, barrier));
      const auto two = head.next_ptr(barrier)->next_ptr(barrier);
      ASSERT_EQ(two->number, 2);
      two->delete_self();
      EXPECT_EQ(numbers_behind(head, barrier), (std::vector<int>{9, 3, 4}));
    }
    reclaim_all(1000);
    stopped.finish();
    EXPECT_EQ(seen, 2) << "it was there when the walk came by";
    const Barrier barrier;
    EXPECT_EQ(numbers_behind(head, barrier), (std::vector<int>{9, 3, 4}));
    EXPECT_TRUE(head.is_marked());
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(LinkedListStopped, before_a_push_finds_what_changed_meanwhile) {
  Atomic<int> alive{0};
  {
    const Node head(0);
    {
      const Barrier barrier;
      for (int n = 2; n >= 1; --n) head.push_back(ebr::Arc<Node>::make(n, &alive), false, barrier);
    }
    bool pushed = false;
    WaitingThread stopped([&](auto pause) {
      const StopAt stop("linked_list:pushing", pause);
      const Barrier barrier;
      pushed = static_cast<bool>(head.push_back(ebr::Arc<Node>::make(9, &alive), false, barrier));
    });
    ASSERT_TRUE(stopped.is_paused());
    {
      const Barrier barrier;
      EXPECT_TRUE(head.mark());
      head.next_ptr(barrier)->delete_self();
      EXPECT_EQ(numbers_behind(head, barrier), std::vector<int>{2});
    }
    stopped.finish();
    EXPECT_TRUE(pushed);
    const Barrier barrier;
    EXPECT_EQ(numbers_behind(head, barrier), (std::vector<int>{9, 2}));
    EXPECT_TRUE(head.is_clear()) << "it was pushed without a mark";
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(LinkedListStopped, before_a_push_behind_a_node_that_is_deleted_meanwhile_gets_its_entry_back_clean) {
  Atomic<int> alive{0};
  {
    const Node head(0);
    {
      const Barrier barrier;
      head.push_back(ebr::Arc<Node>::make(1, &alive), false, barrier);
    }
    ebr::Arc<Node> back;
    WaitingThread stopped([&](auto pause) {
      const StopAt stop("linked_list:pushing", pause);
      const Barrier barrier;
      back = head.push_back(ebr::Arc<Node>::make(9, &alive), true, barrier).entry;
    });
    ASSERT_TRUE(stopped.is_paused());
    EXPECT_TRUE(head.delete_self());
    stopped.finish();
    ASSERT_TRUE(back);
    EXPECT_TRUE(back->is_clear());
    EXPECT_TRUE(back->link_ref().is_null()) << "it keeps nothing of the list alive";
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

#endif

}  // namespace
}  // namespace scree::test
