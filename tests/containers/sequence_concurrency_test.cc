// SPDX-License-Identifier: Apache-2.0
//
// Stack and Queue among threads: recorded histories, floods, and threads stopped while they let go of an entry. What
// only one of them promises: stack_concurrency_test.cc, queue_concurrency_test.cc.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "jitter.h"
#include "reclaim.h"
#include "run_threads.h"
#include "sequence_kinds.h"
#include "stop_at.h"
#include "support/sequence_history.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

using ebr::Barrier;

template <class Kind, class T>
using Of = typename Kind::template Container<T>;

template <class Kind>
class SequenceConcurrency : public testing::Test {};
TYPED_TEST_SUITE(SequenceConcurrency, SequenceKinds, SequenceKindName);

// Performs and records one operation, chosen at random. `value` is to be pushed.
template <class Kind>
void record_one(Of<Kind, std::int64_t>& sequence, SequenceRecorder& recorder, std::mt19937_64& random,
                std::int64_t value) {
  using Numbers = Of<Kind, std::int64_t>;
  using Op = SequenceOp;
  using Values = std::vector<std::int64_t>;
  switch (random() % 14) {
    case 0:
    case 1:
    case 2:
      return recorder.record(Op::kPush, [&](Op&) {
        sequence.push(value);
        return Values{value};
      });
    case 3:
    case 4:
      return recorder.record(Op::kPushOnto, [&](Op& op) {
        Values seen;
        const auto result = sequence.push_if(value, [&](const std::int64_t* newest) {
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
    case 5:
      return recorder.record(Op::kPushOnto, [&](Op& op) {
        Values seen;
        const auto result = sequence.push_if(value, [&](const std::int64_t* newest) {
          seen = newest == nullptr ? Values() : Values{*newest};
          return newest != nullptr;
        });
        if (result) {
          seen.insert(seen.begin(), value);
        } else {
          op = Op::kLast;
        }
        return seen;
      });
    case 6:
    case 7:
    case 8:
    case 9:
      return recorder.record(Op::kPop, [&](Op&) {
        const auto popped = sequence.pop();
        return popped ? Values{*popped} : Values();
      });
    case 10:
      return recorder.record(Op::kPop, [&](Op& op) {
        Values seen;
        const auto result = sequence.pop_if([&](const std::int64_t& next) {
          seen = {next};
          return next % 2 == 1;
        });
        if (result.outcome == Numbers::PopOutcome::kRefused) op = Op::kPeek;
        if (result.outcome == Numbers::PopOutcome::kEmpty) seen.clear();
        return seen;
      });
    case 11:
      return recorder.record(Op::kIsEmpty, [&](Op&) { return Values{sequence.is_empty()}; });
    case 12:
      return recorder.record(Op::kPeek, [&](Op&) {
        const Barrier barrier;
        const std::int64_t* const next = sequence.peek(barrier);
        return next == nullptr ? Values() : Values{*next};
      });
    default:
      if constexpr (Kind::kSeesOneInstant) {
        if (random() % 2 == 0) return recorder.record(Op::kPopAll, [&](Op&) { return all_of(sequence.pop_all()); });
        return recorder.record(Op::kSnapshot, [&](Op&) { return contents(sequence); });
      } else {
        // Each entry is popped at some time since pop_all() was called.
        const std::uint64_t invoked = recorder.begin();
        auto all = sequence.pop_all();
        while (const auto popped = all.pop()) recorder.record_since(invoked, Op::kPop, {*popped});
      }
  }
}

TYPED_TEST(SequenceConcurrency, histories_are_linearizable) {
  const Jitter jitter;
  constexpr std::size_t kThreads = 3;
  for (std::uint64_t round = 0; round < 1000; ++round) {
    Of<TypeParam, std::int64_t> sequence;
    HistoryClock clock;
    std::vector<SequenceRecorder> recorders(kThreads, SequenceRecorder(clock));
    run_threads(kThreads, [&](std::size_t t) {
      std::mt19937_64 random(round * kThreads + t);
      for (std::int64_t n = 0; n < 40; ++n) {
        record_one<TypeParam>(sequence, recorders[t], random,
                              n * static_cast<std::int64_t>(kThreads) + static_cast<std::int64_t>(t));
      }
    });
    ASSERT_EQ(find_disorder<typename TypeParam::Model>(recorders), std::nullopt) << "round " << round;
  }
}

// Numbers are n * pushers + pusher.
void expect_order_of_each_pusher(const std::vector<int>& numbers, std::size_t pushers) {
  std::vector<int> last(pushers, -1);
  for (const int number : numbers) {
    int& before = last[static_cast<std::size_t>(number) % pushers];
    ASSERT_LT(before, number);
    before = number;
  }
}

// Whatever is pushed comes out once, to one thread; handles of push() are dropped by other threads, before and after.
TYPED_TEST(SequenceConcurrency, every_entry_comes_out_once_and_is_destroyed_once_in_a_flood) {
  const Jitter jitter;
  constexpr std::size_t kThreads = 4;
  constexpr int kPushes = 20'000;
  Atomic<int> alive{0};
  std::vector<std::vector<int>> came_out(kThreads);
  {
    Of<TypeParam, Counted> sequence;
    std::mutex mutex;
    std::vector<typename Of<TypeParam, Counted>::Handle> handles;
    run_threads(kThreads, [&](std::size_t t) {
      std::mt19937_64 random(t);
      const auto take_out = [&](const typename Of<TypeParam, Counted>::Handle& popped) {
        if (popped) came_out[t].push_back(popped->value());
      };
      for (int n = 0; n < kPushes; ++n) {
        const int number = n * static_cast<int>(kThreads) + static_cast<int>(t);
        auto pushed = sequence.emplace(alive, number);
        EXPECT_EQ(pushed->value(), number);
        if (random() % 4 == 0) {
          typename Of<TypeParam, Counted>::Handle others;
          const std::lock_guard lock(mutex);
          handles.push_back(std::move(pushed));
          std::swap(others, handles[random() % handles.size()]);
        }
        if (random() % 64 == 0) {
          auto all = sequence.pop_all();
          while (const auto popped = all.pop()) take_out(popped);
        } else if (random() % 8 != 0) {
          take_out(sequence.pop());
        }
        if (random() % 512 == 0) ebr::collect();
      }
    });
    for (auto popped = sequence.pop(); popped; popped = sequence.pop()) came_out[0].push_back(popped->value());
  }
  if (!TypeParam::kLastInFirstOut) {
    for (const auto& of_thread : came_out) expect_order_of_each_pusher(of_thread, kThreads);
  }
  std::vector<int> numbers;
  for (const auto& of_thread : came_out) numbers.insert(numbers.end(), of_thread.begin(), of_thread.end());
  std::sort(numbers.begin(), numbers.end());
  ASSERT_EQ(numbers.size(), kThreads * kPushes);
  for (std::size_t n = 0; n < numbers.size(); ++n) ASSERT_EQ(numbers[n], static_cast<int>(n));
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

// One thread's handles are dropped while others' of the same entries are, and somebody collects.
template <class Kind, class T>
void drop_handles_at_the_same_time(std::size_t rounds, auto push, auto number_of) {
  const Jitter jitter;
  constexpr std::size_t kEntries = 20;
  for (std::size_t round = 0; round < rounds; ++round) {
    Of<Kind, T> sequence;
    std::vector<typename Of<Kind, T>::Handle> pushed, popped;
    for (std::size_t n = 0; n < kEntries; ++n) pushed.push_back(push(sequence, static_cast<int>(n)));
    for (std::size_t n = 0; n < kEntries; ++n) popped.push_back(sequence.pop());
    if (Kind::kLastInFirstOut) std::reverse(popped.begin(), popped.end());
    run_threads(3, [&](std::size_t t) {
      if (t == 2) {
        for (std::size_t n = 0; n < 10; ++n) ebr::collect();
        return;
      }
      for (std::size_t n = 0; n < kEntries; ++n) {
        auto& handle = t == 0 ? pushed[n] : popped[n];
        EXPECT_EQ(number_of(*handle), static_cast<int>(n));
        handle.reset();
        if (n % 4 == 3) ebr::collect();
      }
    });
  }
  EXPECT_TRUE(reclaim_all());
}
TYPED_TEST(SequenceConcurrency, handles_of_one_entry_that_go_at_the_same_time_free_it_once) {
  Atomic<int> alive{0};
  drop_handles_at_the_same_time<TypeParam, Counted>(
      1000, [&](auto& sequence, int n) { return sequence.emplace(alive, n); },
      [](const Counted& value) { return value.value(); });
  EXPECT_EQ(alive, 0);
}
TYPED_TEST(SequenceConcurrency, handles_of_one_number_that_go_at_the_same_time_free_its_memory_once) {
  drop_handles_at_the_same_time<TypeParam, int>(
      300, [](auto& sequence, int n) { return sequence.push(n); }, [](int value) { return value; });
}

TYPED_TEST(SequenceConcurrency, push_if_lets_one_of_all_threads_find_it_empty) {
  const Jitter jitter;
  for (int round = 0; round < 300; ++round) {
    Of<TypeParam, std::int64_t> sequence;
    Atomic<int> pushed{0};
    run_threads(3, [&](std::size_t t) {
      const auto result =
          sequence.push_if(static_cast<std::int64_t>(t), [](const auto* newest) { return newest == nullptr; });
      if (result) ++pushed;
    });
    EXPECT_EQ(pushed, 1);
    EXPECT_EQ(sequence.len(), 1u);
  }
}

#if SCREE_SYNC_POINTS

// The pusher has seen that it goes first; the other owner goes, and whoever collects waits for it.
TYPED_TEST(SequenceConcurrency, an_entry_is_not_freed_while_its_pusher_is_stopped_letting_go_of_it) {
  for (const char* step : {"two_owners:first:alone", "two_owners:first:race"}) {
    const bool first = std::string_view(step) == "two_owners:first:alone";
    Atomic<int> alive{0};
    Of<TypeParam, Counted> sequence;
    auto pushed = sequence.emplace(alive, 1);
    if (!first) sequence.pop();
    WaitingThread stopped([&](const auto& pause) {
      const StopAt stop(step, pause);
      pushed.reset();
    });
    ASSERT_TRUE(stopped.is_paused()) << step;
    if (first) sequence.pop();
    reclaim_all(100);
    EXPECT_EQ(alive, 1) << step;
    stopped.finish();
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, 0) << step;
  }
}

// The other owner has said that it goes and has not retired the entry yet: the pusher leaves the entry to it.
TYPED_TEST(SequenceConcurrency, a_pusher_that_lets_go_while_the_other_owner_does_leaves_the_entry_to_it) {
  Atomic<int> alive{0};
  Of<TypeParam, Counted> sequence;
  auto pushed = sequence.emplace(alive, 1);
  WaitingThread stopped([&](const auto& pause) {
    const StopAt stop("two_owners:second:gone", pause);
    sequence.pop();
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
