// SPDX-License-Identifier: Apache-2.0
//
// What memory Stack and Queue need and give back, seen by the allocator. This program's operator new counts.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include <scree/queue.h>
#include <scree/stack.h>

#include "reclaim.h"
#include "support/failing_new.h"

namespace scree::test {
namespace {

// An entry that was not made leaves its memory for the next one. Where no memory is kept, a sanitizer sees what is
// lost.
TEST(StackAllocation, whose_entry_cannot_be_made_is_used_again) {
  struct Throws {
    Throws(bool throws, const void** place) {
      *place = this;
      if (throws) throw 1;
    }
  };
  Stack<Throws> stack;
  const void* first = nullptr;
  EXPECT_ANY_THROW(stack.emplace(true, &first));
  for (int n = 0; n < 1000; ++n) {
    const void* next = nullptr;
    EXPECT_ANY_THROW(stack.emplace(true, &next));
    EXPECT_TRUE(next == first || detail::BlockCache::kBytesKept == 0);
  }
}

// A queue's memory is its segments, and nothing else here has an alignment of its own.
std::ptrdiff_t segments() { return FailurePoint::aligned_alive.load(); }

// The most that a segment has, and one more.
constexpr int kSomeSegments = 1000;

TEST(QueueAllocation, of_an_empty_queue_is_none_until_the_first_push) {
  const ebr::Barrier barrier;  // this thread's record is there
  const std::size_t before = FailurePoint::allocations;
  Queue<std::uint64_t> queue;
  EXPECT_FALSE(queue.pop());
  EXPECT_TRUE(queue.is_empty());
  EXPECT_FALSE(queue.pop_all().pop());
  EXPECT_EQ(queue.len(), 0u);
  EXPECT_EQ(FailurePoint::allocations, before);
  queue.push(1);
  EXPECT_EQ(FailurePoint::allocations, before + 1);
}

TEST(QueueAllocation, is_not_needed_to_find_a_queue_empty) {
  Queue<std::uint64_t> queue;
  queue.push(1);
  queue.pop();
  const std::size_t before = FailurePoint::allocations;
  for (int n = 0; n < 10 * kSomeSegments; ++n) {
    EXPECT_FALSE(queue.pop());
    EXPECT_TRUE(queue.is_empty());
    EXPECT_FALSE(queue.pop_if([](std::uint64_t) { return true; }));
  }
  EXPECT_EQ(FailurePoint::allocations, before);
}

TEST(QueueAllocation, is_given_back_when_entries_are_popped_and_all_of_it_when_the_queue_goes) {
  EXPECT_TRUE(reclaim_all());
  const std::ptrdiff_t before = segments();
  {
    Queue<std::uint64_t> queue;
    for (std::uint64_t n = 0; n < 100'000; ++n) queue.push(n);
    EXPECT_GE(segments() - before, 100'000 / 256);
    while (queue.pop()) {
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(segments() - before, 1) << "the one where the next push begins";
    for (std::uint64_t n = 0; n < 100'000; ++n) queue.push(n), queue.pop();
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(segments() - before, 1);
    for (std::uint64_t n = 0; n < 100'000; ++n) queue.push(n);
    EXPECT_EQ(ebr::stats().pending_objects, 0u);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(segments(), before);
}

// The handles of one entry, in every order, with what happens in between. A segment is there as long as one of them is,
// and no longer.
template <class T>
void expect_a_segment_while_a_handle_is_there(auto push) {
  EXPECT_TRUE(reclaim_all());
  const std::ptrdiff_t before = segments();
  for (const bool popped_first : {false, true}) {
    // When is the first handle dropped, and when the second: 0, while the segment is on the queue; 1, when it is off
    // and there was no grace period; 2, after that; 3, when the queue is gone.
    for (int first_at = 0; first_at <= 3; ++first_at) {
      for (int second_at = first_at; second_at <= 3; ++second_at) {
        typename Queue<T>::Handle first, second;
        const auto drop_at = [&](int stage) {
          if (first_at == stage) first.reset();
          if (second_at == stage) second.reset();
        };
        {
          Queue<T> queue;
          first = push(queue);
          second = queue.pop();
          if (popped_first) first.swap(second);
          drop_at(0);
          for (int n = 0; n < kSomeSegments; ++n) push(queue);
          for (int n = 0; n < kSomeSegments; ++n) queue.pop();
          drop_at(1);
          EXPECT_TRUE(reclaim_all());
          EXPECT_EQ(segments() - before, second_at > 1 ? 2 : 1) << first_at << ' ' << second_at;
          drop_at(2);
          EXPECT_TRUE(reclaim_all());
          EXPECT_EQ(segments() - before, second_at > 2 ? 2 : 1) << first_at << ' ' << second_at;
        }
        EXPECT_TRUE(reclaim_all());
        EXPECT_EQ(segments() - before, second_at > 2 ? 1 : 0) << first_at << ' ' << second_at;
        drop_at(3);
        EXPECT_TRUE(reclaim_all());
        EXPECT_EQ(segments(), before) << first_at << ' ' << second_at;
      }
    }
  }
}
TEST(QueueAllocation, is_kept_by_each_handle_of_an_entry_and_given_back_with_the_last) {
  expect_a_segment_while_a_handle_is_there<std::uint64_t>([](auto& queue) { return queue.push(1); });
  Atomic<int> alive{0};
  expect_a_segment_while_a_handle_is_there<Counted>([&](auto& queue) { return queue.emplace(alive, 1); });
  EXPECT_EQ(alive, 0);
}

TEST(QueueAllocation, is_kept_for_entries_that_pop_all_took_until_they_are_popped) {
  EXPECT_TRUE(reclaim_all());
  const std::ptrdiff_t before = segments();
  {
    Queue<std::uint64_t> queue;
    for (std::uint64_t n = 0; n < kSomeSegments; ++n) queue.push(n);
    auto all = queue.pop_all();
    for (std::uint64_t n = 0; n < kSomeSegments; ++n) {
      // Others see to it that the segments are left and their grace periods are over.
      queue.push(n);
      EXPECT_EQ(*all.pop(), n);
      EXPECT_TRUE(reclaim_all());
    }
    EXPECT_FALSE(all.pop());
    while (queue.pop()) {
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(segments() - before, 1);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(segments(), before);
}

}  // namespace
}  // namespace scree::test
