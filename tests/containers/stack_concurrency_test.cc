// SPDX-License-Identifier: Apache-2.0
//
// Stack among threads: recorded histories, floods, iteration beside others, and threads stopped within an operation.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <scree/stack.h>

#include "jitter.h"
#include "reclaim.h"
#include "stop_at.h"
#include "support/sequence_history.h"
#include "support/start_line.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

using ebr::Barrier;
using Numbers = Stack<std::int64_t>;

void run_threads(std::size_t count, const auto& body) {
  StartLine start(count);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < count; ++t) {
    threads.emplace_back([&, t] {
      start.wait();
      body(t);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

std::vector<std::int64_t> all_of(const auto& range) {
  return {range.begin(), std::ranges::next(range.begin(), range.end())};
}

// Performs and records one operation, chosen at random. `value` is to be pushed.
void record_one(Numbers& stack, SequenceRecorder& recorder, std::mt19937_64& random, std::int64_t value) {
  using Op = SequenceOp;
  using Values = std::vector<std::int64_t>;
  switch (random() % 12) {
    case 0:
    case 1:
    case 2:
      return recorder.record(Op::kPush, [&](Op&) {
        stack.push(value);
        return Values{value};
      });
    case 3:
      return recorder.record(Op::kPushOnto, [&](Op& op) {
        Values seen;
        const auto result = stack.push_if(value, [&](const std::int64_t* newest) {
          seen = newest == nullptr ? Values() : Values{*newest};
          return newest == nullptr || *newest % 2 == 0;
        });
        if (result) {
          seen.insert(seen.begin(), value);
        } else {
          op = Op::kLast;
        }
        return seen;
      });
    case 4:
    case 5:
    case 6:
    case 7:
      return recorder.record(Op::kPop, [&](Op&) {
        const auto popped = stack.pop();
        return popped ? Values{*popped} : Values();
      });
    case 8:
      return recorder.record(Op::kPop, [&](Op& op) {
        Values seen;
        const auto result = stack.pop_if([&](const std::int64_t& newest) {
          seen = {newest};
          return newest % 2 == 1;
        });
        if (result.outcome == Numbers::PopOutcome::kRefused) op = Op::kPeek;
        if (result.outcome == Numbers::PopOutcome::kEmpty) seen.clear();
        return seen;
      });
    case 9:
      return recorder.record(Op::kPopAll, [&](Op&) { return all_of(stack.pop_all()); });
    case 10:
      return recorder.record(Op::kPeek, [&](Op&) {
        const Barrier barrier;
        const std::int64_t* const newest = stack.peek(barrier);
        return newest == nullptr ? Values() : Values{*newest};
      });
    default:
      return recorder.record(Op::kSnapshot, [&](Op&) {
        const Barrier barrier;
        return all_of(stack.iter(barrier));
      });
  }
}

TEST(StackConcurrency, histories_are_linearizable) {
  const Jitter jitter;
  constexpr std::size_t kThreads = 3;
  for (std::uint64_t round = 0; round < 200; ++round) {
    Numbers stack;
    HistoryClock clock;
    std::vector<SequenceRecorder> recorders(kThreads, SequenceRecorder(clock));
    run_threads(kThreads, [&](std::size_t t) {
      std::mt19937_64 random(round * kThreads + t);
      for (std::int64_t n = 0; n < 40; ++n) {
        record_one(stack, recorders[t], random, n * static_cast<std::int64_t>(kThreads) + static_cast<std::int64_t>(t));
      }
    });
    ASSERT_EQ(find_disorder<LastInFirstOut>(recorders), std::nullopt) << "round " << round;
  }
}

// Whatever is pushed comes out once, to one thread; handles of push() are dropped by other threads, before and after.
TEST(StackConcurrency, every_entry_comes_out_once_and_is_destroyed_once_in_a_flood) {
  const Jitter jitter;
  constexpr std::size_t kThreads = 4;
  constexpr int kPushes = 20'000;
  Atomic<int> alive{0};
  std::vector<std::vector<int>> came_out(kThreads);
  {
    Stack<Counted> stack;
    std::mutex mutex;
    std::vector<Stack<Counted>::Handle> handles;
    run_threads(kThreads, [&](std::size_t t) {
      std::mt19937_64 random(t);
      const auto take_out = [&](const Stack<Counted>::Handle& popped) {
        if (popped) came_out[t].push_back(popped->value());
      };
      for (int n = 0; n < kPushes; ++n) {
        const int number = n * static_cast<int>(kThreads) + static_cast<int>(t);
        auto pushed = stack.emplace(alive, number);
        EXPECT_EQ(pushed->value(), number);
        if (random() % 4 == 0) {
          Stack<Counted>::Handle others;
          const std::lock_guard lock(mutex);
          handles.push_back(std::move(pushed));
          std::swap(others, handles[random() % handles.size()]);
        }
        if (random() % 64 == 0) {
          for (auto all = stack.pop_all(); !all.is_empty();) take_out(all.pop());
        } else if (random() % 8 != 0) {
          take_out(stack.pop());
        }
        if (random() % 512 == 0) ebr::collect();
      }
    });
    for (auto popped = stack.pop(); popped; popped = stack.pop()) came_out[0].push_back(popped->value());
  }
  std::vector<int> numbers;
  for (const auto& of_thread : came_out) numbers.insert(numbers.end(), of_thread.begin(), of_thread.end());
  std::sort(numbers.begin(), numbers.end());
  ASSERT_EQ(numbers.size(), kThreads * kPushes);
  for (std::size_t n = 0; n < numbers.size(); ++n) ASSERT_EQ(numbers[n], static_cast<int>(n));
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

// One thread's handles are dropped while others pop what they are of.
TEST(StackConcurrency, handles_of_one_entry_that_go_at_the_same_time_free_it_once) {
  const Jitter jitter;
  Atomic<int> alive{0};
  constexpr std::size_t kRounds = 1000, kEntries = 20;
  for (std::size_t round = 0; round < kRounds; ++round) {
    Stack<Counted> stack;
    std::vector<Stack<Counted>::Handle> pushed, popped;
    for (std::size_t n = 0; n < kEntries; ++n) pushed.push_back(stack.emplace(alive, static_cast<int>(n)));
    for (std::size_t n = 0; n < kEntries; ++n) popped.push_back(stack.pop());
    std::reverse(popped.begin(), popped.end());
    run_threads(3, [&](std::size_t t) {
      if (t == 2) {
        for (std::size_t n = 0; n < 10; ++n) ebr::collect();
        return;
      }
      for (std::size_t n = 0; n < kEntries; ++n) {
        auto& handle = t == 0 ? pushed[n] : popped[n];
        EXPECT_EQ(handle->value(), static_cast<int>(n));
        handle.reset();
        if (n % 4 == 3) ebr::collect();
      }
    });
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(StackConcurrency, iteration_visits_what_is_present_throughout_exactly_once_in_order) {
  const Jitter jitter;
  constexpr std::int64_t kPresent = 50;
  Numbers stack;
  for (std::int64_t n = 0; n < kPresent; ++n) stack.push(n);
  Atomic<bool> done{false};
  run_threads(3, [&](std::size_t t) {
    if (t == 0) {
      const std::unique_ptr<Atomic<bool>, void (*)(Atomic<bool>*)> at_the_end(
          &done, [](Atomic<bool>* flag) { flag->store(true, memory_order_relaxed); });
      for (int walk = 0; walk < 5000; ++walk) {
        const Barrier barrier;
        std::vector<std::int64_t> seen;
        for (const std::int64_t& value : stack.iter(barrier)) {
          // The others pop what it is at, now and then.
          if (seen.empty() && walk % 10 == 0) std::this_thread::yield();
          seen.push_back(value);
        }
        ASSERT_GE(seen.size(), static_cast<std::size_t>(kPresent));
        std::reverse(seen.begin(), seen.end());
        for (std::int64_t n = 0; n < kPresent; ++n) ASSERT_EQ(seen[static_cast<std::size_t>(n)], n);
        std::sort(seen.begin(), seen.end());
        EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end()) << "nothing is visited twice";
      }
      return;
    }
    std::mt19937_64 random(t);
    for (std::int64_t n = kPresent; !done.load(memory_order_relaxed); ++n) {
      stack.push(2 * n + static_cast<std::int64_t>(t) - 1);
      while (random() % 3 != 0) stack.pop_if([=](const std::int64_t& newest) { return newest >= kPresent; });
    }
  });
}

TEST(StackConcurrency, push_if_lets_one_of_all_threads_find_the_stack_empty) {
  const Jitter jitter;
  for (int round = 0; round < 300; ++round) {
    Numbers stack;
    Atomic<int> pushed{0};
    run_threads(3, [&](std::size_t t) {
      const auto result =
          stack.push_if(static_cast<std::int64_t>(t), [](const auto* newest) { return newest == nullptr; });
      if (result) ++pushed;
    });
    EXPECT_EQ(pushed, 1);
    EXPECT_EQ(stack.len(), 1u);
  }
}

#if SCREE_SYNC_POINTS

// A thread that is stopped at any step of its operation holds up nobody, and finds what it needs when it goes on.
TEST(StackConcurrency, others_finish_while_a_thread_is_stopped_inside_an_operation) {
  for (const char* step : {"stack:push:linked", "stack:push_if:linked", "stack:pop:read"}) {
    Numbers stack;
    stack.push(1);
    stack.push(2);
    std::optional<std::int64_t> came_out;
    WaitingThread stopped([&](const auto& pause) {
      const StopAt stop(step, pause);
      if (std::string_view(step) == "stack:push:linked") stack.push(3);
      if (std::string_view(step) == "stack:push_if:linked") stack.push_if(3, [](const auto*) { return true; });
      if (std::string_view(step) == "stack:pop:read") came_out = *stack.pop();
    });
    ASSERT_TRUE(stopped.is_paused()) << step;
    EXPECT_EQ(*stack.pop(), 2);
    stack.push(4);
    stack.push(5);
    EXPECT_EQ(*stack.pop(), 5);
    EXPECT_EQ(stack.len(), 2u);
    stopped.finish();
    if (came_out) {
      EXPECT_EQ(*came_out, 4);
      EXPECT_EQ(stack.len(), 1u);
    } else {
      EXPECT_EQ(*stack.pop(), 3) << step;
      EXPECT_EQ(*stack.pop(), 4);
    }
    EXPECT_EQ(*stack.pop(), 1);
  }
}

// Were an entry used again while a pop is stopped after it has read the one below, the newest entry could be at the
// same address, and the pop would put back one that is gone.
TEST(StackConcurrency, a_pop_that_is_stopped_is_not_deceived_by_an_entry_at_the_same_address) {
  Numbers stack;
  stack.push(1);
  const std::int64_t* const address = stack.push(2).get();
  std::int64_t came_out = 0;
  WaitingThread stopped([&](const auto& pause) {
    const StopAt stop("stack:pop:read", pause);
    came_out = *stack.pop();
  });
  ASSERT_TRUE(stopped.is_paused());
  stack.pop();
  stack.pop();
  reclaim_all(100);
  for (std::int64_t n = 10; n < 10'000; ++n) {
    const auto pushed = stack.push(n);
    EXPECT_NE(pushed.get(), address);
  }
  stopped.finish();
  EXPECT_EQ(came_out, 9'999);
  EXPECT_EQ(*stack.pop(), 9'998);
}

// The pusher has seen that it goes first; the other owner goes, and whoever collects waits for it.
TEST(StackConcurrency, an_entry_is_not_freed_while_its_pusher_is_stopped_letting_go_of_it) {
  for (const char* step : {"two_owners:first:alone", "two_owners:first:race"}) {
    const bool first = std::string_view(step) == "two_owners:first:alone";
    Atomic<int> alive{0};
    Stack<Counted> stack;
    auto pushed = stack.emplace(alive, 1);
    if (!first) stack.pop();
    WaitingThread stopped([&](const auto& pause) {
      const StopAt stop(step, pause);
      pushed.reset();
    });
    ASSERT_TRUE(stopped.is_paused()) << step;
    if (first) stack.pop();
    reclaim_all(100);
    EXPECT_EQ(alive, 1) << step;
    stopped.finish();
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, 0) << step;
  }
}

// The other owner has said that it goes and has not retired the entry yet: the pusher leaves the entry to it.
TEST(StackConcurrency, a_pusher_that_lets_go_while_the_other_owner_does_leaves_the_entry_to_it) {
  Atomic<int> alive{0};
  Stack<Counted> stack;
  auto pushed = stack.emplace(alive, 1);
  WaitingThread stopped([&](const auto& pause) {
    const StopAt stop("two_owners:second:gone", pause);
    stack.pop();
  });
  ASSERT_TRUE(stopped.is_paused());
  pushed.reset();
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 1);
  stopped.finish();
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

#endif

}  // namespace
}  // namespace scree::test
