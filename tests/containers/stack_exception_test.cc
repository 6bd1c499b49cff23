// SPDX-License-Identifier: Apache-2.0
//
// Every allocation, copy and move of an operation fails in turn; each time the stack holds what it held before, and
// nothing leaks. This program's operator new can be made to fail.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include <scree/stack.h>

#include "reclaim.h"
#include "support/failing_new.h"

namespace scree::test {
namespace {

struct Failure {};

// Copying and moving it may throw; counts its instances. Its entries are too large for their memory to be kept: each is
// an allocation.
class Fussy {
 public:
  explicit Fussy(int n) : n_(n) { ++alive; }
  Fussy(const Fussy& other) : n_(other.n_) {
    if (FailurePoint::strikes()) throw Failure();
    ++alive;
  }
  Fussy(Fussy&& other) : n_(other.n_) {
    if (FailurePoint::strikes()) throw Failure();
    other.n_ = kMovedFrom;
    ++alive;
  }
  Fussy& operator=(const Fussy&) = delete;
  ~Fussy() {
    n_ = kDestroyed;
    --alive;
  }
  int number() const noexcept { return n_; }

  static inline Atomic<int> alive{0};
  static constexpr int kMovedFrom = -1, kDestroyed = -2;

 private:
  int n_;
  [[maybe_unused]] std::byte size_[detail::NodeCache::kLargest] = {};
};

std::vector<int> contents(const Stack<Fussy>& stack) {
  const ebr::Barrier barrier;
  std::vector<int> numbers;
  for (const Fussy& value : stack.iter(barrier)) numbers.push_back(value.number());
  return numbers;
}

// Runs `operation(stack)` with its first fallible step failing, then its second, and so on until it has no more of
// them; returns how many it had. A failed one leaves {2, 1} there.
template <class Operation>
std::size_t fail_at_every_step(const std::vector<int>& afterwards, Operation operation) {
  for (std::size_t step = 1;; ++step) {
    {
      Stack<Fussy> stack;
      stack.emplace(1);
      stack.emplace(2);
      bool done = false;
      FailurePoint::failed = false;
      FailurePoint::left = step;
      try {
        operation(stack);
        done = true;
      } catch (const std::bad_alloc&) {
      } catch (const Failure&) {
      }
      FailurePoint::left = 0;
      EXPECT_NE(done, FailurePoint::failed);
      EXPECT_EQ(contents(stack), done ? afterwards : (std::vector{2, 1})) << "step " << step;
      EXPECT_EQ(stack.len(), done ? afterwards.size() : 2);
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(Fussy::alive, 0) << "step " << step;
    if (!FailurePoint::failed) return step - 1;
  }
}

const std::vector<int> kPushed{3, 2, 1}, kUnchanged{2, 1}, kPopped{1};

TEST(StackException, push_that_fails_changes_nothing) {
  EXPECT_EQ(fail_at_every_step(kPushed,
                               [](Stack<Fussy>& stack) {
                                 const Fussy value(3);
                                 stack.push(value);
                               }),
            2u)
      << "an allocation and a copy";
  EXPECT_EQ(fail_at_every_step(kPushed, [](Stack<Fussy>& stack) { stack.push(Fussy(3)); }), 2u);
  EXPECT_EQ(fail_at_every_step(kPushed, [](Stack<Fussy>& stack) { stack.emplace(3); }), 1u);
}

TEST(StackException, push_of_a_value_that_cannot_be_moved_in_leaves_the_value_alone) {
  Stack<Fussy> stack;
  Fussy value(3);
  for (const std::size_t step : {1u, 2u}) {
    FailurePoint::left = step;
    EXPECT_ANY_THROW(stack.push(std::move(value)));
    EXPECT_EQ(value.number(), 3);
  }
}

TEST(StackException, push_if_that_fails_changes_nothing) {
  EXPECT_EQ(fail_at_every_step(kPushed,
                               [](Stack<Fussy>& stack) {
                                 stack.push_if(Fussy(3), [](const Fussy* newest) {
                                   if (FailurePoint::strikes()) throw Failure();
                                   return newest->number() == 2;
                                 });
                               }),
            3u)
      << "the condition, an allocation and a move";
}

TEST(StackException, push_if_that_is_refused_and_fails_to_give_back_changes_nothing) {
  EXPECT_EQ(fail_at_every_step(
                kUnchanged, [](Stack<Fussy>& stack) { stack.push_if(Fussy(3), [](const Fussy*) { return false; }); }),
            1u);
}

// The stack changes between the first answer and the exchange, so that the second condition, and what it does then,
// fails, too.
TEST(StackException, push_if_that_fails_when_it_asks_again_leaves_what_others_pushed) {
  for (std::size_t step = 1; step <= 3; ++step) {
    {
      Stack<Fussy> stack;
      bool first = true;
      EXPECT_ANY_THROW(stack.push_if(Fussy(3), [&](const Fussy*) {
        if (std::exchange(first, false)) {
          stack.emplace(4);
          FailurePoint::left = step;  // of: memory for the entry, moving there, moving back
          return true;
        }
        return false;
      }));
      EXPECT_EQ(contents(stack), (std::vector{4}));
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(Fussy::alive, 0);
  }
}

TEST(StackException, pop_if_whose_condition_throws_changes_nothing) {
  EXPECT_EQ(fail_at_every_step(kPopped,
                               [](Stack<Fussy>& stack) {
                                 stack.pop_if([](const Fussy&) {
                                   if (FailurePoint::strikes()) throw Failure();
                                   return true;
                                 });
                               }),
            1u);
}

TEST(StackException, take_that_throws_keeps_the_entry) {
  {
    Stack<Fussy> stack;
    stack.emplace(1);
    auto popped = stack.pop();
    FailurePoint::left = 1;
    EXPECT_THROW(std::move(popped).take(), Failure);
    ASSERT_TRUE(popped);
    EXPECT_EQ(popped->number(), 1);
    EXPECT_EQ(std::move(popped).take().number(), 1);
    EXPECT_FALSE(popped);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(Fussy::alive, 0);
}

// A thread's first use needs memory for its record: that fails before anything is pushed.
TEST(StackException, a_threads_first_push_that_finds_no_memory_changes_nothing) {
  const ebr::Barrier keeps_this_threads_record;
  Stack<Fussy> stack;
  std::size_t failures = 0;
  std::thread([&] {
    for (std::size_t step = 1;; ++step) {
      FailurePoint::failed = false;
      FailurePoint::left = step;
      try {
        stack.emplace(1);
      } catch (const std::bad_alloc&) {
        EXPECT_TRUE(stack.is_empty());
      }
      FailurePoint::left = 0;
      if (!FailurePoint::failed) break;
      ++failures;
    }
  }).join();
  EXPECT_GE(failures, 1u) << "the entry's at least: another thread may have left its record";
  EXPECT_EQ(stack.pop()->number(), 1);
}

// The memory of entries is used again, and no more of it is kept than a bounded amount.
TEST(StackAllocation, is_rarely_needed_in_a_steady_state) {
  Stack<std::uint64_t> stack;
  const auto allocations = [&stack](std::size_t pairs) {
    const std::size_t before = FailurePoint::allocations;
    for (std::size_t n = 0; n < pairs; ++n) {
      stack.push(n);
      stack.pop();
    }
    return FailurePoint::allocations - before;
  };
  constexpr std::size_t kPairs = 100'000;
  allocations(kPairs);
  if (detail::NodeCache::kBytesKept == 0) {
    EXPECT_GE(allocations(kPairs), kPairs);
  } else {
    EXPECT_LE(allocations(kPairs), kPairs / 50);
  }
}

TEST(StackAllocation, is_needed_for_more_entries_than_a_thread_keeps) {
  constexpr std::size_t kEntries = 100'000;
  for (int round = 0; round < 2; ++round) {
    Stack<std::uint64_t> stack;
    const std::size_t before = FailurePoint::allocations;
    for (std::size_t n = 0; n < kEntries; ++n) stack.push(n);
    EXPECT_GE(FailurePoint::allocations - before, kEntries - detail::NodeCache::kBytesKept / 16);
    stack.pop_all();
    EXPECT_TRUE(reclaim_all());
  }
}

TEST(StackAllocation, whose_entry_cannot_be_made_is_used_again) {
  struct Throws {
    explicit Throws(bool throws) {
      if (throws) throw Failure();
    }
  };
  Stack<Throws> stack;
  EXPECT_THROW(stack.emplace(true), Failure);
  const std::size_t before = FailurePoint::allocations;
  for (int n = 0; n < 1000; ++n) EXPECT_THROW(stack.emplace(true), Failure);
  EXPECT_EQ(FailurePoint::allocations - before, detail::NodeCache::kBytesKept == 0 ? 1000u : 0u);
}

}  // namespace
}  // namespace scree::test
