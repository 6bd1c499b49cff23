// SPDX-License-Identifier: Apache-2.0

#include "support/sequence_history.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "support/start_line.h"

namespace scree::test {
namespace {

using Op = SequenceOp;
using Lifo = LastInFirstOut;
using Fifo = FirstInFirstOut;

SequenceEvent event(Op op, std::vector<std::int64_t> values, std::uint64_t invoked, std::uint64_t responded) {
  return {.op = op, .values = std::move(values), .invoked = invoked, .responded = responded};
}
template <class Model>
bool is_linearizable(std::vector<SequenceEvent> events) {
  return !find_disorder<Model>(std::move(events));
}

TEST(SequenceHistory, accepts_a_stack_in_sequence_and_not_as_a_queue) {
  const std::vector<SequenceEvent> history = {event(Op::kPop, {}, 1, 2),
                                              event(Op::kPush, {1}, 3, 4),
                                              event(Op::kPush, {2}, 5, 6),
                                              event(Op::kPeek, {2}, 7, 8),
                                              event(Op::kPop, {2}, 9, 10),
                                              event(Op::kPush, {3}, 11, 12),
                                              event(Op::kSnapshot, {3, 1}, 13, 14),
                                              event(Op::kPopAll, {3, 1}, 15, 16),
                                              event(Op::kPeek, {}, 17, 18)};
  EXPECT_TRUE(is_linearizable<Lifo>(history));
  EXPECT_FALSE(is_linearizable<Fifo>(history));
}

TEST(SequenceHistory, accepts_a_queue_in_sequence_and_not_as_a_stack) {
  const std::vector<SequenceEvent> history = {event(Op::kPush, {1}, 1, 2), event(Op::kPush, {2}, 3, 4),
                                              event(Op::kPeek, {1}, 5, 6), event(Op::kPop, {1}, 7, 8),
                                              event(Op::kPop, {2}, 9, 10), event(Op::kPop, {}, 11, 12)};
  EXPECT_TRUE(is_linearizable<Fifo>(history));
  EXPECT_FALSE(is_linearizable<Lifo>(history));
}

TEST(SequenceHistory, accepts_concurrent_pushes_in_either_order) {
  for (const std::int64_t newest : {1, 2}) {
    const std::vector<SequenceEvent> history = {event(Op::kPush, {1}, 1, 4), event(Op::kPush, {2}, 2, 3),
                                                event(Op::kPop, {newest}, 5, 6), event(Op::kPop, {3 - newest}, 7, 8)};
    EXPECT_TRUE(is_linearizable<Lifo>(history));
    EXPECT_TRUE(is_linearizable<Fifo>(history));
  }
}

TEST(SequenceHistory, accepts_a_push_that_takes_effect_long_after_others_began) {
  EXPECT_TRUE(
      is_linearizable<Lifo>({event(Op::kPush, {1}, 1, 20), event(Op::kPush, {2}, 2, 3), event(Op::kPop, {2}, 4, 5),
                             event(Op::kPop, {}, 6, 7), event(Op::kPop, {1}, 8, 9)}));
}

TEST(SequenceHistory, refuses_the_wrong_order) {
  EXPECT_FALSE(
      is_linearizable<Lifo>({event(Op::kPush, {1}, 1, 2), event(Op::kPush, {2}, 3, 4), event(Op::kPop, {1}, 5, 6)}));
  EXPECT_FALSE(
      is_linearizable<Fifo>({event(Op::kPush, {1}, 1, 2), event(Op::kPush, {2}, 3, 4), event(Op::kPop, {2}, 5, 6)}));
}

TEST(SequenceHistory, refuses_what_is_popped_twice_or_before_it_is_pushed_or_never_was) {
  EXPECT_FALSE(
      is_linearizable<Lifo>({event(Op::kPush, {1}, 1, 2), event(Op::kPop, {1}, 3, 6), event(Op::kPop, {1}, 4, 5)}));
  EXPECT_FALSE(is_linearizable<Lifo>({event(Op::kPop, {1}, 1, 2), event(Op::kPush, {1}, 3, 4)}));
  EXPECT_FALSE(is_linearizable<Fifo>({event(Op::kPush, {1}, 1, 2), event(Op::kPop, {2}, 3, 4)}));
}

TEST(SequenceHistory, refuses_an_empty_answer_beside_an_entry_that_nobody_takes) {
  EXPECT_FALSE(is_linearizable<Lifo>({event(Op::kPush, {1}, 1, 2), event(Op::kPop, {}, 3, 4)}));
  // Two entries, of which one is always there.
  EXPECT_FALSE(is_linearizable<Fifo>({event(Op::kPush, {1}, 1, 2), event(Op::kPush, {2}, 3, 6),
                                      event(Op::kPop, {}, 4, 5), event(Op::kPop, {1}, 7, 8)}));
}

TEST(SequenceHistory, refuses_what_is_said_to_be_empty_or_not_and_is_the_opposite) {
  for (const bool empty : {false, true}) {
    const std::int64_t said = empty ? 1 : 0;
    EXPECT_EQ(is_linearizable<Fifo>({event(Op::kIsEmpty, {said}, 1, 2), event(Op::kPush, {1}, 3, 4)}), empty);
    EXPECT_EQ(is_linearizable<Fifo>({event(Op::kPush, {1}, 1, 2), event(Op::kIsEmpty, {said}, 3, 4)}), !empty);
    EXPECT_TRUE(is_linearizable<Fifo>({event(Op::kPush, {1}, 1, 4), event(Op::kIsEmpty, {said}, 2, 3)}));
  }
}

TEST(SequenceHistory, refuses_a_lost_entry) {
  EXPECT_FALSE(is_linearizable<Lifo>({event(Op::kPush, {1}, 1, 2), event(Op::kPush, {2}, 3, 4),
                                      event(Op::kPop, {2}, 5, 6), event(Op::kPop, {}, 7, 8)}));
}

TEST(SequenceHistory, refuses_a_snapshot_of_two_instants) {
  // 1 is popped before 3 is pushed: nobody sees both.
  const auto seen = [](std::vector<std::int64_t> values) {
    return std::vector<SequenceEvent>{event(Op::kPush, {1}, 1, 2), event(Op::kPop, {1}, 4, 5),
                                      event(Op::kPush, {3}, 6, 7), event(Op::kSnapshot, std::move(values), 3, 8)};
  };
  EXPECT_FALSE(is_linearizable<Lifo>(seen({3, 1})));
  EXPECT_TRUE(is_linearizable<Lifo>(seen({3})));
  EXPECT_TRUE(is_linearizable<Lifo>(seen({})));
}

TEST(SequenceHistory, refuses_a_push_onto_what_was_not_the_last) {
  const auto onto = [](std::vector<std::int64_t> values, Op last, std::int64_t seen) {
    return std::vector<SequenceEvent>{event(Op::kPushOnto, {1}, 1, 2), event(Op::kPushOnto, {2, 1}, 3, 4),
                                      event(Op::kPushOnto, std::move(values), 5, 6), event(last, {seen}, 7, 8)};
  };
  EXPECT_TRUE(is_linearizable<Lifo>(onto({3, 2}, Op::kLast, 3)));
  EXPECT_TRUE(is_linearizable<Fifo>(onto({3, 2}, Op::kLast, 3)));
  EXPECT_TRUE(is_linearizable<Fifo>(onto({3, 2}, Op::kPeek, 1)));
  EXPECT_FALSE(is_linearizable<Fifo>(onto({3, 2}, Op::kLast, 1)));
  EXPECT_FALSE(is_linearizable<Lifo>(onto({3, 1}, Op::kLast, 3)));
  EXPECT_FALSE(is_linearizable<Lifo>(onto({3}, Op::kLast, 3)));
  EXPECT_FALSE(is_linearizable<Lifo>({event(Op::kPushOnto, {1, 2}, 1, 2)}));
}

TEST(SequenceHistory, says_which_event_has_no_place) {
  const auto disorder = find_disorder<Lifo>({event(Op::kPush, {1}, 1, 2), event(Op::kPop, {}, 3, 4)});
  ASSERT_TRUE(disorder);
  EXPECT_NE(disorder->find("> [3, 4] pop of none"), std::string::npos) << *disorder;
}

// A locked deque that pops from one end, now and then wrong in one way.
enum class Bug { kNone, kOtherEnd, kPopsTwice, kLoses, kSaysEmpty };

std::optional<std::string> run_locked(Bug bug, bool lifo) {
  std::mutex mutex;
  std::deque<std::int64_t> held;
  constexpr std::size_t kThreads = 3;
  HistoryClock clock;
  std::vector<SequenceRecorder> recorders(kThreads, SequenceRecorder(clock));
  StartLine start(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      start.wait();
      for (std::int64_t n = 0; n < 200; ++n) {
        const bool strikes = bug != Bug::kNone && random() % 20 == 0;
        if (random() % 2 == 0) {
          const auto value = static_cast<std::int64_t>(t) * 1000 + n;
          recorders[t].record(Op::kPush, [&](Op&) {
            const std::lock_guard lock(mutex);
            if (!(strikes && bug == Bug::kLoses)) held.push_back(value);
            return std::vector{value};
          });
        } else {
          recorders[t].record(Op::kPop, [&](Op&) -> std::vector<std::int64_t> {
            const std::lock_guard lock(mutex);
            if (held.empty() || (strikes && bug == Bug::kSaysEmpty)) return {};
            const bool back = lifo != (strikes && bug == Bug::kOtherEnd);
            const std::int64_t value = back ? held.back() : held.front();
            if (strikes && bug == Bug::kPopsTwice) return {value};
            back ? held.pop_back() : held.pop_front();
            return {value};
          });
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  recorders.front().record(Op::kPopAll, [&](Op&) {
    if (lifo) return std::vector<std::int64_t>(held.rbegin(), held.rend());
    return std::vector<std::int64_t>(held.begin(), held.end());
  });
  return lifo ? find_disorder<Lifo>(recorders) : find_disorder<Fifo>(recorders);
}

TEST(SequenceHistory, accepts_what_a_lock_protects) {
  EXPECT_EQ(run_locked(Bug::kNone, true), std::nullopt);
  EXPECT_EQ(run_locked(Bug::kNone, false), std::nullopt);
}

TEST(SequenceHistory, catches_each_planted_bug) {
  for (const Bug bug : {Bug::kOtherEnd, Bug::kPopsTwice, Bug::kLoses, Bug::kSaysEmpty}) {
    EXPECT_TRUE(run_locked(bug, true)) << static_cast<int>(bug);
    EXPECT_TRUE(run_locked(bug, false)) << static_cast<int>(bug);
  }
}

}  // namespace
}  // namespace scree::test
