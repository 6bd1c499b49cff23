// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <scree/bag.h>

#include "jitter.h"
#include "reclaim.h"
#include "run_threads.h"
#include "stop_at.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

constexpr int kThreads = 4;
#if SCREE_SMALL_CAPACITIES
constexpr int kPerThread = 20'000;
#else
constexpr int kPerThread = 50'000;
#endif

// Counts how often each of the values 0.. was taken.
class Tally {
 public:
  explicit Tally(std::size_t values) : taken_(values) {}
  void take(std::uint64_t value) { taken_.at(value).fetch_add(1, memory_order_relaxed); }
  void expect_each_once() const {
    for (std::size_t value = 0; value < taken_.size(); ++value) {
      ASSERT_EQ(taken_[value].load(memory_order_relaxed), 1) << value;
    }
  }

 private:
  std::vector<Atomic<int>> taken_;
};

// Threads that push runs of up to `run` elements and pop as many, all in one bag.
template <class B>
void check_each_is_popped_once(std::uint64_t run) {
  const Jitter jitter;
  B bag;
  Tally tally(kThreads * kPerThread);
  run_threads(kThreads, [&](int me) {
    const std::uint64_t first = static_cast<std::uint64_t>(me) * kPerThread;
    for (std::uint64_t n = 0; n < kPerThread;) {
      const std::uint64_t pushes = n % run + 1 < kPerThread - n ? n % run + 1 : kPerThread - n;
      for (std::uint64_t i = 0; i < pushes; ++i) bag.push(std::make_unique<std::uint64_t>(first + n++));
      for (std::uint64_t i = 0; i < pushes; ++i) {
        // Each thread has pushed what it pops: whoever finds nothing was robbed, and the robber has one left to find.
        const auto popped = bag.pop();
        ASSERT_TRUE(popped.has_value()) << "there are at least as many as this thread has not yet popped";
        tally.take(**popped);
      }
    }
  });
  EXPECT_TRUE(bag.is_empty());
  tally.expect_each_once();
}

TEST(BagConcurrency, pairs_find_what_was_pushed_once) {
  check_each_is_popped_once<Bag<std::unique_ptr<std::uint64_t>>>(1);
}
TEST(BagConcurrency, runs_find_what_was_pushed_once) {
  check_each_is_popped_once<Bag<std::unique_ptr<std::uint64_t>>>(150);
}
TEST(BagConcurrency, runs_over_small_blocks_find_what_was_pushed_once) {
  check_each_is_popped_once<Bag<std::unique_ptr<std::uint64_t>, 2, 2>>(9);
}

// Some threads push, others pop until all is there, one takes all, some ask for the number.
TEST(BagConcurrency, pushers_and_poppers_exchange_everything_once) {
  const Jitter jitter;
  Bag<std::string, 4, 8> bag;
  constexpr std::size_t kValues = 2 * kPerThread;
  Tally tally(kValues);
  Atomic<std::size_t> taken{0};
  run_threads(6, [&](int me) {
    if (me < 2) {
      for (std::size_t n = 0; n < kPerThread; ++n)
        bag.push(std::to_string(static_cast<std::size_t>(me) * kPerThread + n));
      return;
    }
    while (taken.load(memory_order_relaxed) < kValues) {
      if (me == 2) {
        taken += bag.pop_all([&](std::string&& value) { tally.take(std::stoull(value)); });
      } else if (me == 3) {
        EXPECT_LE(bag.len(), kValues);
      } else if (const auto value = bag.pop()) {
        tally.take(std::stoull(*value));
        ++taken;
      }
      std::this_thread::yield();
    }
  });
  EXPECT_TRUE(bag.is_empty());
  EXPECT_EQ(bag.pop(), std::nullopt);
  EXPECT_EQ(bag.blocks(), 0u);
  tally.expect_each_once();
}

// Each thread pushes before it pops, so the bag, which had one element more, is never empty; that element wanders from
// slot to slot and from block to block.
template <class B>
void check_it_is_never_said_to_be_empty() {
  const Jitter jitter;
  B bag;
  bag.push(0);
  Atomic<int> working{3};
  Atomic<std::uint64_t> wrong{0};
  run_threads(5, [&](int me) {
    if (me < 3) {
      for (std::uint64_t n = 0; n < kPerThread; ++n) {
        const std::uint64_t run = n % 97 == 0 ? 20 : 1;
        for (std::uint64_t i = 0; i < run; ++i) bag.push(n);
        for (std::uint64_t i = 0; i < run; ++i) wrong += bag.pop() ? 0 : 1;
      }
      --working;
      return;
    }
    while (working != 0) {
      if (bag.is_empty()) ++wrong;
      std::this_thread::yield();
    }
  });
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(bag.len(), 1u);
}
TEST(BagConcurrency, is_never_said_to_be_empty_when_it_is_not) {
  check_it_is_never_said_to_be_empty<Bag<std::uint64_t>>();
}
TEST(BagConcurrency, of_small_blocks_is_never_said_to_be_empty_when_it_is_not) {
  check_it_is_never_said_to_be_empty<Bag<std::uint64_t, 2, 2>>();
}

// Nor does what several threads leave for one another to unlink add up.
TEST(BagConcurrency, does_not_grow_under_batches) {
  const Jitter jitter;
  Bag<std::uint64_t, 8, 16> bag;
  for (std::uint64_t n = 0; n < bag.kInlineCapacity; ++n) bag.push(n);
  constexpr std::uint64_t kBatch = 31;
  Atomic<std::size_t> most{0};
  run_threads(kThreads, [&](int) {
    for (std::uint64_t round = 0; round < kPerThread / kBatch; ++round) {
      for (std::uint64_t n = 0; n < kBatch; ++n) bag.push(n);
      for (std::uint64_t n = 0; n < kBatch; ++n) ASSERT_TRUE(bag.pop());
      const std::size_t blocks = bag.blocks();
      for (std::size_t seen = most.load(); blocks > seen && !most.compare_exchange_weak(seen, blocks);) {
      }
    }
  });
  EXPECT_LE(most, bag.kInlineCapacity + kThreads * (kBatch + 1)) << "elements, and the block that each is at";
}

// A move that throws now and then puts the element back, beside others that want it.
struct Sometimes : std::runtime_error {
  Sometimes() : std::runtime_error("sometimes") {}
};
class Hot {
 public:
  explicit Hot(std::uint64_t n) : n_(std::make_unique<std::uint64_t>(n)) {}
  Hot(Hot&& other) {  // NOLINT(performance-noexcept-move-constructor): that is the point
    thread_local std::uint64_t moves = 0;
    if (++moves % 3 == 0) throw Sometimes();
    n_ = std::move(other.n_);
  }
  std::uint64_t value() const { return *n_; }

 private:
  std::unique_ptr<std::uint64_t> n_;
};
TEST(BagConcurrency, loses_nothing_to_moves_that_throw) {
  const Jitter jitter;
  Bag<Hot, 4, 2> bag;
  constexpr std::uint64_t kEach = 3000;
  Tally tally(2 * kEach);
  Atomic<std::uint64_t> taken{0};
  run_threads(4, [&](int me) {
    if (me < 2) {
      for (std::uint64_t n = 0; n < kEach; ++n) bag.emplace(static_cast<std::uint64_t>(me) * kEach + n);
      return;
    }
    while (taken.load(memory_order_relaxed) < 2 * kEach) {
      try {
        if (const std::optional<Hot> popped = bag.pop()) {
          tally.take(popped->value());
          ++taken;
        }
      } catch (const Sometimes&) {
      }
    }
  });
  tally.expect_each_once();
  EXPECT_EQ(bag.pop_all([](Hot&&) { FAIL(); }), 0u);
  EXPECT_EQ(bag.blocks(), 0u);
}

#if SCREE_SYNC_POINTS

// A count sees no element in two rounds, between which a block goes with as many pushes as were added elsewhere. There
// is an element at any time.
TEST(BagStops, do_not_make_up_an_empty_bag) {
  Bag<int, 2, 4> bag;
  const auto at = [](std::uint32_t place) { scree::detail::bag_place() = place; };
  at(0);
  for (int n = 0; n < 7; ++n) bag.push(n);
  at(1);
  for (int n = 0; n < 5; ++n) bag.pop();
  ASSERT_EQ(bag.blocks(), 2u) << "one with a slot in use, and one with the last element";
  WaitingThread taker([&](auto pause) {
    const StopAt stop("bag:taken", pause);
    at(1);
    bag.pop();
  });
  ASSERT_EQ(bag.len(), 1u) << "inline, at 0";

  const auto while_counting = [&] {
    at(0);
    bag.push(7);  // into the newest block, where the count has been
    bag.pop();    // inline, where it has not
  };
  const auto between_rounds = [&] {
    at(0), bag.push(8);
    at(1), bag.pop();  // 7
    for (int n = 0; n < 2; ++n) bag.push(9), bag.pop();
    taker.finish();
    ASSERT_EQ(bag.blocks(), 1u);
    ASSERT_EQ(bag.len(), 1u);
  };
  std::optional<StopAt> first, second, third;
  first.emplace("bag:blocks_counted", [&] {
    while_counting();
    second.emplace("bag:counted", [&] {
      between_rounds();
      third.emplace("bag:blocks_counted", while_counting);
    });
  });
  EXPECT_FALSE(bag.is_empty());
}

// A thread that is stopped at any step costs the others one slot.
class BagStopped : public testing::TestWithParam<const char*> {};

TEST_P(BagStopped, holds_up_nobody) {
  Bag<std::uint64_t, 4, 2> bag;
  for (std::uint64_t n = 0; n < 5; ++n) bag.push(100);
  bag.pop(), bag.pop();
  WaitingThread stopped([&](auto pause) {
    const StopAt stop(GetParam(), pause);
    for (std::uint64_t n = 0; n < 9; ++n) bag.push(200);
    while (bag.pop()) {
    }
  });
  EXPECT_TRUE(stopped.is_paused());
  std::size_t before = 0;
  while (bag.pop()) ++before;
  EXPECT_TRUE(bag.is_empty());
  for (std::uint64_t round = 0; round < 10; ++round) {
    for (std::uint64_t n = 0; n < 50; ++n) bag.push(n);
    EXPECT_EQ(bag.len(), 50u);
    std::vector<int> popped(50);
    for (std::uint64_t n = 0; n < 50; ++n) ++popped.at(bag.pop().value());
    EXPECT_EQ(popped, std::vector<int>(50, 1));
    EXPECT_TRUE(bag.is_empty());
    EXPECT_LE(bag.blocks(), 6u) << "what is not freed for the stopped thread's sake does not grow";
  }
  stopped.finish();
  while (bag.pop()) {
  }
  EXPECT_EQ(bag.blocks(), 0u);
}

INSTANTIATE_TEST_SUITE_P(At, BagStopped,
                         testing::Values("bag:claimed", "bag:taken", "bag:counted", "bag:linking", "bag:unlinking",
                                         "bag:sealing"),
                         [](const auto& of) { return std::string(of.param).substr(4); });

#endif

}  // namespace
}  // namespace scree::test
