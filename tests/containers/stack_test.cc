// SPDX-License-Identifier: Apache-2.0
//
// What Stack alone promises: pop_all() and iter() are of one instant. The rest: sequence_test.cc.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "reclaim.h"
#include "sequence_kinds.h"
#include "stop_at.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

using ebr::Barrier;
using Ints = std::vector<int>;
using Numbers = Stack<std::int64_t>;

TEST(Stack, example_of_the_document) {
  Stack<std::size_t> stack;
  stack.push(1);
  stack.push(2);
  EXPECT_EQ(*stack.pop(), 2u);
  EXPECT_EQ(*stack.pop(), 1u);
  EXPECT_FALSE(stack.pop());
}

TEST(Stack, pop_all_takes_everything_at_once_and_can_be_walked) {
  Stack<int> stack;
  for (const int n : {1, 2, 3}) stack.push(n);
  auto all = stack.pop_all();
  EXPECT_TRUE(stack.is_empty());
  EXPECT_FALSE(all.is_empty());
  EXPECT_EQ(all_of(all), (Ints{3, 2, 1}));
  EXPECT_EQ(*all.pop(), 3);
  EXPECT_EQ(*all.begin(), 2) << "and the rest is still there";
  auto moved = std::move(all);
  EXPECT_TRUE(all.is_empty());
  EXPECT_EQ(all_of(moved), (Ints{2, 1}));
  stack.push(4);
  moved = stack.pop_all();
  EXPECT_EQ(all_of(moved), (Ints{4}));
  EXPECT_TRUE(stack.pop_all().is_empty());
}

TEST(Stack, what_pop_all_took_outlives_the_stack_and_the_pushers_handle) {
  for (const bool pusher_first : {false, true}) {
    Atomic<int> alive{0};
    auto stack = std::make_unique<Stack<Counted>>();
    auto pushed = stack->emplace(alive, 1);
    auto all = stack->pop_all();
    stack.reset();
    if (pusher_first) pushed.reset();
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, 1);
    EXPECT_EQ(all.begin()->value(), 1);
    all = {};
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, pusher_first ? 0 : 1);
    pushed.reset();
    EXPECT_EQ(alive, 0);
  }
}

TEST(Stack, iter_sees_nothing_of_what_happens_later) {
  Stack<int> stack;
  for (const int n : {1, 2, 3}) stack.push(n);
  const Barrier barrier;
  Ints seen;
  for (const int& value : stack.iter(barrier)) {
    seen.push_back(value);
    stack.pop_all();
    stack.push(10 + value);
  }
  EXPECT_EQ(seen, (Ints{3, 2, 1}));
  EXPECT_EQ(contents(stack), (Ints{11}));
}

#if SCREE_SYNC_POINTS

// A thread that is stopped at any step of its operation holds up nobody, and finds what it needs when it goes on.
TEST(Stack, others_finish_while_a_thread_is_stopped_inside_an_operation) {
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
TEST(Stack, a_pop_that_is_stopped_is_not_deceived_by_an_entry_at_the_same_address) {
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

#endif

}  // namespace
}  // namespace scree::test
