// SPDX-License-Identifier: Apache-2.0
//
// What Queue alone promises among threads: order of each producer's entries, iteration up to where the queue ended, and
// nobody waits for a thread that has a place. The rest: sequence_concurrency_test.cc.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "jitter.h"
#include "reclaim.h"
#include "run_threads.h"
#include "sequence_kinds.h"
#include "stop_at.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

using ebr::Barrier;
using Numbers = Queue<std::int64_t>;
using Values = std::vector<std::int64_t>;

// Pushes and pops in every way. What each consumer gets of one producer is in that one's order.
template <class T>
void flood(std::size_t producers, std::size_t consumers, std::int64_t pushes, auto make, auto number_of) {
  const Jitter jitter;
  std::vector<Values> came_out(consumers);
  {
    Queue<T> queue;
    Atomic<std::int64_t> left{static_cast<std::int64_t>(producers) * pushes};
    run_threads(producers + consumers, [&](std::size_t t) {
      std::mt19937_64 random(t);
      if (t < producers) {
        for (std::int64_t n = 0; n < pushes; ++n) {
          const std::int64_t number = n * static_cast<std::int64_t>(producers) + static_cast<std::int64_t>(t);
          if (random() % 4 == 0) {
            const auto result = queue.push_if(make(number), [](const T*) { return true; });
            EXPECT_EQ(number_of(*result.entry), number);
          } else {
            const auto pushed = queue.push(make(number));
            EXPECT_EQ(number_of(*pushed), number);
          }
        }
        return;
      }
      Values& out = came_out[t - producers];
      const auto take = [&](const auto& popped) {
        if (!popped) return;
        out.push_back(number_of(*popped));
        left.fetch_sub(1, memory_order_relaxed);
      };
      while (left.load(memory_order_relaxed) > 0) {
        switch (random() % 16) {
          case 0: {
            auto all = queue.pop_all();
            while (const auto popped = all.pop()) take(popped);
            break;
          }
          case 1:
          case 2:
            take(queue.pop_if([&](const T& value) { return number_of(value) % 3 != 0; }).entry);
            break;
          default:
            take(queue.pop());
        }
        if (random() % 512 == 0) ebr::collect();
      }
    });
    EXPECT_TRUE(queue.is_empty());
  }
  Values all;
  for (const Values& out : came_out) {
    Values last(producers, -1);
    for (const std::int64_t number : out) {
      std::int64_t& before = last[static_cast<std::size_t>(number) % producers];
      ASSERT_LT(before, number);
      before = number;
    }
    all.insert(all.end(), out.begin(), out.end());
  }
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), producers * static_cast<std::size_t>(pushes));
  for (std::size_t n = 0; n < all.size(); ++n) ASSERT_EQ(all[n], static_cast<std::int64_t>(n));
  EXPECT_TRUE(reclaim_all());
}

TEST(QueueConcurrency, every_number_comes_out_once_in_the_order_of_its_producer) {
  for (const auto& [producers, consumers] :
       {std::pair(1u, 1u), std::pair(1u, 3u), std::pair(3u, 1u), std::pair(2u, 2u)}) {
    flood<std::int64_t>(
        producers, consumers, 20'000, [](std::int64_t n) { return n; }, [](std::int64_t n) { return n; });
  }
}

TEST(QueueConcurrency, every_entry_that_needs_a_destructor_comes_out_once_and_is_destroyed_once) {
  Atomic<int> alive{0};
  flood<Counted>(
      2, 2, 10'000, [&](std::int64_t n) { return Counted(alive, static_cast<int>(n)); },
      [](const Counted& value) { return static_cast<std::int64_t>(value.value()); });
  EXPECT_EQ(alive, 0);
}

// Entries in front are popped and others are pushed behind while it walks; those in between are there all the time.
TEST(QueueConcurrency, iteration_visits_what_is_present_throughout_exactly_once_in_order_and_ends_where_the_queue_did) {
  const Jitter jitter;
  constexpr std::int64_t kInFront = 200, kPresent = 50, kEnd = 2000;
  for (int round = 0; round < 40; ++round) {
    Numbers queue;
    for (std::int64_t n = 0; n < kInFront + kPresent; ++n) queue.push(n);
    Atomic<std::int64_t> begun{kInFront + kPresent};
    Atomic<std::int64_t> popped{0};
    run_threads(4, [&](std::size_t t) {
      if (t == 0) {
        for (std::int64_t n = kInFront + kPresent; n < kEnd; ++n) {
          begun.store(n + 1, memory_order_relaxed);
          queue.push(n);
        }
        return;
      }
      if (t != 3) {
        while (const auto one = queue.pop_if([=](std::int64_t oldest) { return oldest < kInFront; })) {
          popped.fetch_add(1, memory_order_relaxed);
        }
        return;
      }
      for (bool more = true; more;) {
        more = begun.load(memory_order_relaxed) < kEnd;
        const Barrier barrier;
        const auto range = queue.iter(barrier);
        const std::int64_t end = begun.load(memory_order_relaxed);
        const Values seen = all_of(range);
        ASSERT_EQ(std::adjacent_find(seen.begin(), seen.end(), std::greater_equal<>()), seen.end())
            << "in order, nothing twice";
        const auto present = std::lower_bound(seen.begin(), seen.end(), std::int64_t{kInFront});
        ASSERT_GE(seen.end() - present, kPresent);
        ASSERT_EQ(*(present + kPresent - 1), kInFront + kPresent - 1);
        ASSERT_EQ(seen.back() - *present, seen.end() - present - 1) << "one producer's entries, none left out";
        ASSERT_LT(seen.back(), end);
      }
    });
    EXPECT_EQ(popped, kInFront);
    EXPECT_EQ(queue.len(), static_cast<std::size_t>(kEnd - kInFront));
  }
}

#if SCREE_SYNC_POINTS

// A flood that crosses many segments, and finds them as it should.
void expect_is_usable(Queue<std::string>& queue) {
  const std::size_t before = queue.len();
  for (int n = 0; n < 1000; ++n) queue.push(std::to_string(n));
  EXPECT_EQ(queue.len(), before + 1000);
  auto all = queue.pop_all();
  for (std::size_t n = 0; n < before; ++n) EXPECT_TRUE(all.pop());
  for (int n = 0; n < 1000; ++n) ASSERT_EQ(*all.pop(), std::to_string(n));
  EXPECT_FALSE(all.pop());
  EXPECT_FALSE(queue.pop());
  for (int n = 0; n < 1000; ++n) {
    EXPECT_TRUE(queue.push_if(std::to_string(n), [](const auto* newest) { return newest == nullptr; }));
    EXPECT_EQ(queue.peek_with([](const auto* oldest) { return *oldest; }), std::to_string(n));
    EXPECT_TRUE(queue.pop_if([](const auto&) { return true; }));
    EXPECT_TRUE(queue.is_empty());
  }
}

// At each place of a segment.
constexpr int kPlaces = 20;

TEST(QueueConcurrency, a_stopped_pusher_is_passed_by_everyone_and_its_value_comes_out_once) {
  using Strings = std::vector<std::string>;
  const std::vector<std::function<void(Queue<std::string>&)>> ways_to_pass = {
      [](auto& queue) {
        while (queue.pop()) {
        }
      },
      [](auto& queue) {
        while (queue.pop_if([](const auto&) { return true; })) {
        }
      },
      [](auto& queue) { queue.pop_all(); },
      [](auto& queue) {
        for (std::size_t left = queue.len(); left != 0; --left) queue.pop();
        EXPECT_TRUE(queue.is_empty());
      },
      [](auto& queue) {
        EXPECT_TRUE(
            queue.push_if("behind", [](const auto* newest) { return newest == nullptr || *newest == "before"; }));
        while (queue.pop()) {
        }
      },
  };
  for (const auto& pass : ways_to_pass) {
    for (int before = 0; before < kPlaces; ++before) {
      Queue<std::string> queue;
      for (int n = 0; n < before; ++n) queue.push("before");
      WaitingThread stopped([&](const auto& pause) {
        const StopAt stop("queue:push:constructed", pause);
        const auto pushed = queue.push("late, and longer than any small string");
        EXPECT_EQ(*pushed, "late, and longer than any small string");
      });
      ASSERT_TRUE(stopped.is_paused());
      pass(queue);
      EXPECT_TRUE(queue.is_empty());
      EXPECT_EQ(queue.len(), 0u);
      EXPECT_FALSE(queue.pop());
      expect_is_usable(queue);
      queue.push("last");
      stopped.finish();
      EXPECT_EQ(pop_everything(queue), (Strings{"last", "late, and longer than any small string"}));
    }
  }
}

TEST(QueueConcurrency, a_stopped_pusher_that_nobody_has_passed_keeps_its_place) {
  Queue<std::string> queue;
  WaitingThread stopped([&](const auto& pause) {
    const StopAt stop("queue:push:constructed", pause);
    queue.push("first");
  });
  ASSERT_TRUE(stopped.is_paused());
  for (int n = 0; n < kPlaces; ++n) queue.push("second");
  EXPECT_EQ(queue.len(), static_cast<std::size_t>(kPlaces));
  stopped.finish();
  EXPECT_EQ(queue.len(), static_cast<std::size_t>(kPlaces + 1));
  EXPECT_EQ(*queue.pop(), "first");
}

TEST(QueueConcurrency, a_stopped_popper_holds_up_nobody_and_has_its_entry) {
  for (int before = 0; before < kPlaces; ++before) {
    Queue<std::string> queue;
    for (int n = 0; n < before; ++n) queue.push("before"), queue.pop();
    queue.push("its");
    queue.push("next");
    WaitingThread stopped([&](const auto& pause) {
      const StopAt stop("queue:pop:taken", pause);
      EXPECT_EQ(*queue.pop(), "its");
    });
    ASSERT_TRUE(stopped.is_paused());
    EXPECT_EQ(queue.peek_with([](const auto* oldest) { return *oldest; }), "next");
    EXPECT_EQ(queue.len(), 1u);
    EXPECT_EQ(*queue.pop(), "next");
    EXPECT_TRUE(queue.is_empty());
    expect_is_usable(queue);
    reclaim_all(100);
    stopped.finish();
    EXPECT_FALSE(queue.pop());
  }
}

TEST(QueueConcurrency, a_stopped_push_if_holds_up_nobody_and_asks_again) {
  using Strings = std::vector<std::string>;
  const std::vector<std::pair<std::function<void(Queue<std::string>&)>, Strings>> meanwhile = {
      {[](auto&) {}, {"1"}},
      {[](auto& queue) { queue.pop(); }, {"1", "none"}},
      {[](auto& queue) { queue.push("2"); }, {"1", "2"}},
      {[](auto& queue) { expect_is_usable(queue); }, {"1", "none"}},
      {[](auto& queue) { expect_is_usable(queue), queue.push("3"); }, {"1", "3"}},
  };
  for (const auto& [act, expected] : meanwhile) {
    for (int before = 0; before < kPlaces; ++before) {
      Queue<std::string> queue;
      for (int n = 0; n < before; ++n) queue.push("before"), queue.pop();
      queue.push("1");
      Strings asked;
      WaitingThread stopped([&](const auto& pause) {
        const StopAt stop("queue:push_if:asked", pause);
        EXPECT_TRUE(queue.push_if("last", [&](const std::string* newest) {
          asked.push_back(newest == nullptr ? "none" : *newest);
          return true;
        }));
      });
      ASSERT_TRUE(stopped.is_paused());
      act(queue);
      stopped.finish();
      EXPECT_EQ(asked, expected);
      EXPECT_EQ(pop_everything(queue).back(), "last");
    }
  }
}

TEST(QueueConcurrency, a_stopped_pop_if_holds_up_nobody_and_asks_again) {
  for (int before = 0; before < kPlaces; ++before) {
    for (const bool at_once : {false, true}) {
      Queue<std::string> queue;
      for (int n = 0; n < before; ++n) queue.push("before"), queue.pop();
      queue.push("1");
      std::vector<std::string> asked;
      WaitingThread stopped([&](const auto& pause) {
        const StopAt stop("queue:pop_if:asked", pause);
        const auto popped = queue.pop_if([&](const std::string& oldest) {
          asked.push_back(oldest);
          return true;
        });
        EXPECT_EQ(*popped.entry, "2");
      });
      ASSERT_TRUE(stopped.is_paused());
      if (at_once) {
        EXPECT_EQ(*queue.pop(), "1");
      } else {
        expect_is_usable(queue);
      }
      reclaim_all(100);
      queue.push("2");
      stopped.finish();
      EXPECT_EQ(asked, (std::vector<std::string>{"1", "2"}));
      EXPECT_TRUE(queue.is_empty());
    }
  }
}

// A segment is full, and another one linked behind it; the thread that did so has not gone on.
TEST(QueueConcurrency, a_thread_that_is_stopped_while_it_appends_a_segment_holds_up_nobody) {
  for (const char* step : {"queue:append:full", "queue:append:linked"}) {
    Queue<std::string> queue;
    WaitingThread stopped([&](const auto& pause) {
      const StopAt stop(step, pause);
      for (int n = 0; n < kPlaces; ++n) queue.push("its");
    });
    ASSERT_TRUE(stopped.is_paused()) << step;
    expect_is_usable(queue);
    stopped.finish();
    const auto rest = pop_everything(queue);
    EXPECT_TRUE(std::all_of(rest.begin(), rest.end(), [](const std::string& value) { return value == "its"; }));
    EXPECT_FALSE(rest.empty());
  }
}

#endif

}  // namespace
}  // namespace scree::test
