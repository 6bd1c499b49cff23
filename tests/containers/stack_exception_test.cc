// SPDX-License-Identifier: Apache-2.0
//
// Every allocation, copy and move of an operation fails in turn; each time the stack holds what it held before, and
// nothing leaks. This program's operator new can be made to fail.

#include <gtest/gtest.h>

#include <cstddef>
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

// Copying and moving it may throw; counts its instances.
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
  Stack<int> stack;
  std::size_t failures = 0;
  std::thread([&] {
    for (std::size_t step = 1;; ++step) {
      FailurePoint::failed = false;
      FailurePoint::left = step;
      try {
        stack.push(1);
      } catch (const std::bad_alloc&) {
        EXPECT_TRUE(stack.is_empty());
      }
      FailurePoint::left = 0;
      if (!FailurePoint::failed) break;
      ++failures;
    }
  }).join();
  EXPECT_GE(failures, 1u) << "the entry's at least: another thread may have left its record";
  EXPECT_EQ(*stack.pop(), 1);
}

}  // namespace
}  // namespace scree::test
