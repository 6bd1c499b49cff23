// SPDX-License-Identifier: Apache-2.0
//
// What Queue alone promises, on one thread: segments are crossed, and places are given up. The rest: sequence_test.cc.
// Where there are sync points, what others might do within an operation is done there.

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reclaim.h"
#include "sequence_kinds.h"
#include "stop_at.h"

namespace scree::test {
namespace {

using ebr::Barrier;
using Ints = std::vector<int>;

// More than the places of the first segments, whatever their capacities: so that each position in one occurs.
constexpr int kManySegments = 60;

Ints numbers(int from, int to) {
  Ints all(static_cast<std::size_t>(to - from));
  std::iota(all.begin(), all.end(), from);
  return all;
}

TEST(Queue, example_of_the_document) {
  Queue<std::size_t> queue;
  queue.push(1);
  const auto is_behind_1 = [](const std::size_t* newest) { return newest != nullptr && *newest == 1; };
  EXPECT_TRUE(queue.push_if(2, is_behind_1));
  const auto refused = queue.push_if(3, is_behind_1);
  EXPECT_FALSE(refused);
  EXPECT_EQ(refused.refused, 3u);
  EXPECT_EQ(*queue.pop(), 1u);
  EXPECT_EQ(*queue.pop(), 2u);
  EXPECT_FALSE(queue.pop());
}

TEST(Queue, keeps_its_order_across_segments) {
  Queue<int> queue;
  for (int n = 0; n < 3000; ++n) queue.push(n);
  EXPECT_EQ(queue.len(), 3000u);
  EXPECT_EQ(contents(queue), numbers(0, 3000));
  EXPECT_EQ(pop_everything(queue), numbers(0, 3000));
  EXPECT_TRUE(queue.is_empty());
}

// Both ends are at each place of a segment.
TEST(Queue, is_as_long_as_it_should_be_wherever_its_ends_lie) {
  for (int length = 0; length < 12; ++length) {
    Queue<int> queue;
    for (int n = 0; n < length; ++n) queue.push(n);
    for (int n = length; n < length + kManySegments; ++n) {
      ASSERT_EQ(queue.is_empty(), length == 0);
      ASSERT_EQ(contents(queue), numbers(n - length, n));
      queue.push(n);
      ASSERT_EQ(*queue.pop(), n - length);
    }
  }
}

TEST(Queue, pop_all_crosses_segments_and_stops_where_the_queue_ended) {
  for (int length = 0; length < kManySegments; ++length) {
    for (const int later : {0, 1, 5}) {
      Queue<int> queue;
      for (int n = 0; n < length; ++n) queue.push(n);
      auto all = queue.pop_all();
      for (int n = 0; n < later; ++n) queue.push(length + n);
      for (int n = 0; n < length; ++n) ASSERT_EQ(*all.pop(), n);
      ASSERT_FALSE(all.pop());
      ASSERT_EQ(pop_everything(queue), numbers(length, length + later));
    }
  }
}

// Where the queue was there is nothing afterwards that could be taken for one.
TEST(Queue, a_moved_from_result_of_pop_all_leaves_the_queue_alone) {
  for (const int popped_before : {0, 1, 3}) {
    alignas(Queue<int>) std::byte memory[sizeof(Queue<int>)];
    auto* const queue = ::new (static_cast<void*>(memory)) Queue<int>;
    for (int n = 0; n < 3; ++n) queue->push(n);
    auto moved_from = queue->pop_all();
    for (int n = 0; n < popped_before; ++n) moved_from.pop();
    { const auto all = std::move(moved_from); }
    EXPECT_TRUE(queue->is_empty());
    std::destroy_at(queue);
    std::memset(memory, 0x5a, sizeof memory);
    EXPECT_FALSE(moved_from.pop());
  }
}

TEST(Queue, push_if_finds_the_newest_entry_wherever_it_lies) {
  Queue<int> queue;
  for (int n = 0; n < kManySegments; ++n) {
    const auto is_before = [n](const int* newest) { return newest == nullptr ? n == 0 : *newest == n - 1; };
    ASSERT_TRUE(queue.push_if(n, is_before)) << n;
    ASSERT_FALSE(queue.push_if(n, is_before)) << n;
  }
  EXPECT_EQ(pop_everything(queue), numbers(0, kManySegments));
}

TEST(Queue, push_if_finds_nothing_where_everything_is_popped) {
  for (int before = 0; before < kManySegments; ++before) {
    Queue<int> queue;
    for (int n = 0; n < before; ++n) queue.push(n);
    pop_everything(queue);
    ASSERT_FALSE(queue.push_if(1, [](const int* newest) { return newest != nullptr; })) << before;
    ASSERT_TRUE(queue.push_if(1, [](const int* newest) { return newest == nullptr; })) << before;
    ASSERT_EQ(contents(queue), (Ints{1}));
  }
}

// Counts how often it is moved.
struct Moved {
  explicit Moved(int& moves) : count(&moves) {}
  Moved(Moved&& other) noexcept : count(other.count) { ++*count; }
  int* count;
};

// Algorithms that count first and copy then would write beyond what they have counted.
static_assert(std::input_iterator<Queue<int>::Iterator> && !std::forward_iterator<Queue<int>::Iterator>);

// A place that is given up costs its pusher another one, and a move.
TEST(Queue, gives_up_no_place_where_there_is_nothing_to_pop) {
  Queue<Moved> queue;
  int moves = 0;
  for (int n = 0; n < kManySegments; ++n) {
    EXPECT_FALSE(queue.pop());
    EXPECT_FALSE(queue.pop_all().pop());
    EXPECT_FALSE(queue.pop_if([](const Moved&) { return true; }));
    EXPECT_TRUE(queue.is_empty());
    queue.emplace(moves);
    queue.emplace(moves);
    queue.pop_all();
    EXPECT_TRUE(queue.is_empty());
    queue.emplace(moves);
    EXPECT_TRUE(queue.pop());
  }
  EXPECT_EQ(moves, 0);
}

// Each entry's handle is held until the others are gone, with their segments and the queue.
template <class T>
void hold_every_handle(auto push, auto number_of, auto expect_alive) {
  for (int held_entry = 0; held_entry < 2 * kManySegments; ++held_entry) {
    const int of = held_entry / 2;
    const bool of_push = held_entry % 2 == 0;
    typename Queue<T>::Handle held;
    {
      Queue<T> queue;
      for (int n = 0; n < kManySegments; ++n) {
        auto pushed = push(queue, n);
        if (of_push && n == of) held = std::move(pushed);
      }
      for (int n = 0; n < kManySegments; ++n) {
        auto popped = queue.pop();
        ASSERT_EQ(number_of(*popped), n);
        if (!of_push && n == of) held = std::move(popped);
      }
      ASSERT_TRUE(reclaim_all());
      ASSERT_EQ(number_of(*held), of);
      expect_alive(1);
    }
    ASSERT_TRUE(reclaim_all());
    ASSERT_EQ(number_of(*held), of);
    expect_alive(1);
    held.reset();
    ASSERT_TRUE(reclaim_all());
    expect_alive(0);
  }
}
TEST(Queue, handles_of_any_entry_outlive_its_segment_and_the_queue) {
  Atomic<int> alive{0};
  hold_every_handle<Counted>([&](auto& queue, int n) { return queue.emplace(alive, n); },
                             [](const Counted& value) { return value.value(); },
                             [&](int expected) { ASSERT_EQ(alive, expected); });
  hold_every_handle<std::uint64_t>([](auto& queue, int n) { return queue.push(static_cast<std::uint64_t>(n)); },
                                   [](std::uint64_t value) { return static_cast<int>(value); }, [](int) {});
}

#if SCREE_SYNC_POINTS

constexpr const char* kConstructed = "queue:push:constructed";

// `before` entries, so that the place lies anywhere in a segment.
TEST(QueuePlaces, a_push_whose_place_is_given_up_goes_behind_what_was_pushed_meanwhile) {
  for (int before = 0; before < kManySegments; ++before) {
    Queue<std::string> queue;
    for (int n = 0; n < before; ++n) queue.push("before");
    {
      const StopAt stop(kConstructed, [&] {
        EXPECT_EQ(pop_everything(queue).size(), static_cast<std::size_t>(before));
        EXPECT_TRUE(queue.is_empty());
        queue.push("meanwhile, and longer than any small string");
      });
      const auto pushed = queue.push("late, and longer than any small string");
      EXPECT_EQ(*pushed, "late, and longer than any small string");
    }
    EXPECT_EQ(contents(queue), (std::vector<std::string>{"meanwhile, and longer than any small string",
                                                         "late, and longer than any small string"}));
  }
}

TEST(QueuePlaces, a_value_whose_place_is_given_up_again_and_again_is_pushed_once) {
  Queue<std::unique_ptr<int>> queue;
  constexpr std::size_t kTimes = 30;
  std::array<std::optional<StopAt>, kTimes> stops;
  std::function<void(std::size_t)> stop = [&](std::size_t n) {
    stops[n].emplace("queue:push:constructed", [&stop, &queue, n] {
      EXPECT_FALSE(queue.pop());
      if (n + 1 != kTimes) stop(n + 1);
    });
  };
  stop(0);
  const auto result = queue.push_if(std::make_unique<int>(7), [](const auto*) { return true; });
  EXPECT_TRUE(stops.back()) << "it came there so many times";
  EXPECT_EQ(**result.entry, 7);
  EXPECT_EQ(**queue.pop(), 7);
  EXPECT_FALSE(queue.pop());
}

TEST(QueuePlaces, push_if_gives_back_what_was_in_a_place_that_was_given_up) {
  Queue<std::unique_ptr<int>> queue;
  const StopAt stop(kConstructed, [&] {
    queue.pop();
    queue.push(std::make_unique<int>(1));
  });
  auto result = queue.push_if(std::make_unique<int>(7), [](const auto* newest) { return newest == nullptr; });
  EXPECT_FALSE(result);
  EXPECT_EQ(**result.refused, 7);
  EXPECT_EQ(queue.len(), 1u);
}

// The places at the end, and whole segments there, are given up: the newest entry lies before them.
TEST(QueuePlaces, push_if_finds_the_newest_entry_before_places_that_are_given_up) {
  for (int before = 0; before < kManySegments; ++before) {
    for (const int late : {1, 2, 5}) {
      Queue<int> queue;
      for (int n = 0; n < before; ++n) queue.push(n);
      const auto push_behind_the_last = [&] {
        ASSERT_TRUE(queue.push_if(100, [before](const int* newest) {
          return newest == nullptr ? before == 0 : *newest == before - 1;
        })) << before;
      };
      // Each of the late ones begins within the one before.
      std::function<void(int)> push_late = [&](int left) {
        if (left == 0) return push_behind_the_last();
        const StopAt stop(kConstructed, [&] { push_late(left - 1); });
        queue.push(100 + left);
      };
      push_late(late);
      Ints expected = numbers(0, before);
      for (int n = 0; n <= late; ++n) expected.push_back(100 + n);
      ASSERT_EQ(contents(queue), expected);
      ASSERT_EQ(pop_everything(queue), expected);
    }
  }
}

TEST(QueuePlaces, push_if_asks_again_where_what_it_asked_about_is_popped_before_it_has_a_place) {
  for (int before = 0; before < kManySegments; ++before) {
    Queue<int> queue;
    for (int n = 0; n < before; ++n) queue.push(n), queue.pop();
    queue.push(1);
    Ints asked;
    {
      const StopAt stop("queue:push_if:asked", [&] { queue.pop(); });
      EXPECT_FALSE(queue.push_if(2, [&](const int* newest) {
        asked.push_back(newest == nullptr ? 0 : *newest);
        return newest != nullptr;
      }));
    }
    ASSERT_EQ(asked, (Ints{1, 0}));
    ASSERT_TRUE(queue.is_empty());
    queue.push(3);
    ASSERT_EQ(pop_everything(queue), (Ints{3}));
  }
}

// The only entry is popped while push_if looks for it, and another one was pushed before: the queue was never empty.
TEST(QueuePlaces, push_if_is_not_refused_for_an_empty_queue_that_never_was_empty) {
  for (int before = 0; before < kManySegments; ++before) {
    Queue<int> queue;
    for (int n = 0; n < before; ++n) queue.push(n), queue.pop();
    queue.push(1);
    {
      const StopAt stop("queue:push_if:counted", [&] {
        queue.push(2);
        queue.pop();
      });
      ASSERT_TRUE(queue.push_if(3, [](const int* newest) { return newest != nullptr; })) << before;
    }
    ASSERT_EQ(pop_everything(queue), (Ints{2, 3}));
  }
}

// Several poppers come to the last place of a segment, so that more is counted than it has.
TEST(QueuePlaces, an_iteration_sees_the_next_segment_after_poppers_have_gone_beyond_the_end_of_this_one) {
  for (int before = 0; before < kManySegments; ++before) {
    for (int poppers = 1; poppers <= 3; ++poppers) {
      Queue<int> queue;
      for (int n = 0; n < before; ++n) queue.push(n), queue.pop();
      queue.push(1);
      std::function<void(int)> pop = [&](int more) {
        const StopAt stop("queue:pop:seen", [&] { more == 0 ? void() : pop(more - 1); });
        queue.pop();
      };
      pop(poppers);
      for (const int n : {2, 3, 4}) {
        queue.push(n);
        ASSERT_EQ(contents(queue).size(), static_cast<std::size_t>(n - 1));
        ASSERT_EQ(queue.len(), static_cast<std::size_t>(n - 1));
      }
      ASSERT_EQ(pop_everything(queue), (Ints{2, 3, 4}));
    }
  }
}

// Else it could be freed while it is the one where others begin.
TEST(QueuePlaces, a_segment_that_is_left_is_not_the_one_where_pushes_begin) {
  Queue<int> queue;
  int linked = 0;
  for (int n = 0; n < 10 * kManySegments; ++n) {
    const StopAt stop("queue:append:linked", [&] {
      ++linked;
      pop_everything(queue);  // and leaves the segment, which is full
      const StopAt full("queue:append:full", [] { ADD_FAILURE() << "a push has come to a segment that is left"; });
      queue.push(0);
    });
    queue.push(n);
  }
  EXPECT_GE(linked, 3);
}

#endif

}  // namespace
}  // namespace scree::test
