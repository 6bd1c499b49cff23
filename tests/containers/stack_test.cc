// SPDX-License-Identifier: Apache-2.0
//
// Stack, and the handles of its entries, on one thread.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <scree/stack.h>

#include "reclaim.h"

namespace scree::test {
namespace {

using ebr::Barrier;

template <class T>
std::vector<T> contents(const Stack<T>& stack) {
  const Barrier barrier;
  const auto range = stack.iter(barrier);
  return std::vector<T>(range.begin(), std::ranges::next(range.begin(), range.end()));
}

TEST(Stack, example_of_the_document) {
  Stack<std::size_t> stack;
  stack.push(1);
  stack.push(2);
  EXPECT_EQ(*stack.pop(), 2u);
  EXPECT_EQ(*stack.pop(), 1u);
  EXPECT_FALSE(stack.pop());
}

TEST(Stack, push_returns_a_handle_to_what_was_pushed) {
  Stack<std::string> stack;
  const auto pushed = stack.push("a string longer than any small string");
  EXPECT_TRUE(pushed);
  EXPECT_EQ(*pushed, "a string longer than any small string");
  EXPECT_EQ(pushed->size(), 37u);
  const Barrier barrier;
  EXPECT_EQ(pushed.get(), stack.peek(barrier)) << "the same entry, not a copy";
}

TEST(Stack, emplace_makes_the_value_in_its_place) {
  Stack<std::pair<int, std::string>> stack;
  stack.emplace(1, "one");
  EXPECT_EQ(*stack.pop(), std::make_pair(1, std::string("one")));
}

TEST(Stack, push_if_pushes_if_the_condition_holds_for_the_newest) {
  Stack<int> stack;
  const auto first = stack.push_if(1, [](const int* newest) { return newest == nullptr; });
  ASSERT_TRUE(first);
  EXPECT_EQ(*first.entry, 1);
  EXPECT_FALSE(first.refused);
  EXPECT_TRUE(stack.push_if(2, [](const int* newest) { return *newest == 1; }));
  EXPECT_EQ(contents(stack), (std::vector{2, 1}));
}

TEST(Stack, push_if_gives_a_refused_value_back) {
  Stack<std::unique_ptr<int>> stack;
  auto refused = stack.push_if(std::make_unique<int>(7), [](const auto* newest) { return newest != nullptr; });
  EXPECT_FALSE(refused);
  EXPECT_FALSE(refused.entry);
  ASSERT_TRUE(refused.refused);
  EXPECT_EQ(**refused.refused, 7);
  EXPECT_TRUE(stack.is_empty());
}

// The newest entry changes between the condition's answer and the exchange, so that it is asked again.
TEST(Stack, push_if_asks_again_where_the_stack_has_changed_and_gives_back_what_it_had_put_into_an_entry) {
  Stack<std::unique_ptr<int>> stack;
  int asked = 0;
  auto refused = stack.push_if(std::make_unique<int>(7), [&](const auto* newest) {
    ++asked;
    if (newest != nullptr) return false;
    stack.push(std::make_unique<int>(1));
    return true;
  });
  EXPECT_EQ(asked, 2);
  ASSERT_TRUE(refused.refused);
  EXPECT_EQ(**refused.refused, 7);
  EXPECT_EQ(**stack.pop(), 1);
  EXPECT_FALSE(stack.pop());
}

TEST(Stack, pop_if_tells_popped_from_empty_and_refused) {
  using Outcome = Stack<int>::PopOutcome;
  Stack<int> stack;
  const auto is_odd = [](const int& newest) { return newest % 2 == 1; };
  EXPECT_EQ(stack.pop_if(is_odd).outcome, Outcome::kEmpty);
  stack.push(1);
  stack.push(2);
  const auto refused = stack.pop_if(is_odd);
  EXPECT_FALSE(refused);
  EXPECT_FALSE(refused.entry);
  EXPECT_EQ(refused.outcome, Outcome::kRefused);
  EXPECT_EQ(*stack.pop(), 2);
  const auto popped = stack.pop_if(is_odd);
  EXPECT_TRUE(popped);
  EXPECT_EQ(popped.outcome, Outcome::kPopped);
  EXPECT_EQ(*popped.entry, 1);
  EXPECT_EQ(stack.pop_if(is_odd).outcome, Outcome::kEmpty);
}

TEST(Stack, pop_if_asks_again_where_the_stack_has_changed) {
  Stack<int> stack;
  stack.push(1);
  const auto popped = stack.pop_if([&](const int& newest) {
    if (newest == 1) stack.push(2);
    return true;
  });
  EXPECT_EQ(*popped.entry, 2);
  EXPECT_EQ(contents(stack), (std::vector{1}));
  const auto refused = stack.pop_if([&](const int& newest) {
    if (newest == 1) stack.push(3);
    return newest == 1;
  });
  EXPECT_EQ(refused.outcome, Stack<int>::PopOutcome::kRefused);
  EXPECT_EQ(contents(stack), (std::vector{3, 1}));
}

TEST(Stack, pop_all_takes_everything_in_the_order_of_popping) {
  Stack<int> stack;
  for (const int n : {1, 2, 3}) stack.push(n);
  auto all = stack.pop_all();
  EXPECT_TRUE(stack.is_empty());
  EXPECT_FALSE(all.is_empty());
  EXPECT_EQ(std::vector<int>(all.begin(), std::ranges::next(all.begin(), all.end())), (std::vector{3, 2, 1}));
  const auto newest = all.pop();
  EXPECT_EQ(*newest, 3);
  EXPECT_EQ(*all.begin(), 2) << "and the rest is still there";
  auto moved = std::move(all);
  EXPECT_TRUE(all.is_empty());
  EXPECT_EQ(*moved.pop(), 2);
  EXPECT_EQ(*moved.pop(), 1);
  EXPECT_FALSE(moved.pop());
  EXPECT_TRUE(stack.pop_all().is_empty());
}

TEST(Stack, peek_and_peek_with_see_the_newest) {
  Stack<int> stack;
  const Barrier barrier;
  EXPECT_EQ(stack.peek(barrier), nullptr);
  EXPECT_EQ(stack.peek_with([](const int* newest) { return newest == nullptr ? -1 : *newest; }), -1);
  stack.push(1);
  stack.push(2);
  EXPECT_EQ(*stack.peek(barrier), 2);
  EXPECT_EQ(stack.peek_with([](const int* newest) { return newest == nullptr ? -1 : *newest; }), 2);
}

TEST(Stack, iter_sees_what_the_stack_held_when_it_was_called) {
  Stack<int> stack;
  for (const int n : {1, 2, 3}) stack.push(n);
  const Barrier barrier;
  std::vector<int> seen;
  for (const int& value : stack.iter(barrier)) {
    seen.push_back(value);
    stack.pop();
    stack.push(10 + value);
  }
  EXPECT_EQ(seen, (std::vector{3, 2, 1}));
  EXPECT_EQ(contents(stack), (std::vector{11, 2, 1}));
}

TEST(Stack, len_counts_and_is_empty_tells) {
  Stack<int> stack;
  EXPECT_EQ(stack.len(), 0u);
  EXPECT_TRUE(stack.is_empty());
  for (int n = 0; n < 5; ++n) stack.push(n);
  EXPECT_EQ(stack.len(), 5u);
  EXPECT_FALSE(stack.is_empty());
  stack.pop();
  EXPECT_EQ(stack.len(), 4u);
}

TEST(Stack, holds_what_can_only_be_moved) {
  Stack<std::unique_ptr<int>> stack;
  const auto pushed = stack.push(std::make_unique<int>(1));
  EXPECT_EQ(**pushed, 1);
  stack.push(std::make_unique<int>(2));
  std::unique_ptr<int> out = stack.pop().take();
  EXPECT_EQ(*out, 2);
}

TEST(Stack, a_moved_from_or_null_handle_has_nothing) {
  Stack<int> stack;
  auto pushed = stack.push(1);
  auto moved = std::move(pushed);
  EXPECT_FALSE(pushed);
  EXPECT_EQ(pushed.get(), nullptr);
  EXPECT_EQ(*moved, 1);
  moved = stack.push(2);
  EXPECT_EQ(*moved, 2) << "what it had before was let go of";
  moved.reset();
  EXPECT_FALSE(moved);
  moved.reset();
  auto& self = moved = stack.pop();
  moved = std::move(self);
  EXPECT_EQ(*moved, 2) << "assigned to itself";
}

TEST(Stack, destroys_each_entry_once_when_it_goes) {
  Atomic<int> alive{0};
  {
    Stack<Counted> stack;
    for (int n = 0; n < 100; ++n) stack.emplace(alive, n);
    stack.pop();
    EXPECT_LE(alive, 100);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

// The shares of an entry end in every order: the handle of push(), and the container's, which ends with the handle of
// pop(), with what pop_all() took, or with the stack. Meanwhile it can be read.
enum class Owner { kPusher, kContainer };
enum class Ends { kByPop, kByPopAll, kWithTheStack };

TEST(Handles, outlive_the_stack_and_each_other_in_every_order) {
  for (const Ends ends : {Ends::kByPop, Ends::kByPopAll, Ends::kWithTheStack}) {
    for (const Owner first : {Owner::kPusher, Owner::kContainer}) {
      for (const bool collect_between : {false, true}) {
        Atomic<int> alive{0};
        auto stack = std::make_unique<Stack<Counted>>();
        auto pushed = stack->emplace(alive, 1);
        Stack<Counted>::Handle popped;
        Stack<Counted>::Popped all;
        if (ends == Ends::kByPop) popped = stack->pop();
        if (ends == Ends::kByPopAll) all = stack->pop_all();
        if (ends != Ends::kWithTheStack) stack.reset();
        const auto end_share_of = [&](Owner owner) {
          if (owner == Owner::kPusher) return pushed.reset();
          popped.reset();
          all = {};
          stack.reset();
        };
        end_share_of(first);
        if (collect_between) {
          EXPECT_TRUE(reclaim_all());
        }
        EXPECT_EQ(alive, 1);
        if (first == Owner::kContainer) {
          EXPECT_EQ(pushed->value(), 1);
        }
        if (popped) {
          EXPECT_EQ(popped->value(), 1);
        }
        if (!all.is_empty()) {
          EXPECT_EQ(all.begin()->value(), 1);
        }
        end_share_of(first == Owner::kPusher ? Owner::kContainer : Owner::kPusher);
        EXPECT_TRUE(reclaim_all());
        EXPECT_EQ(alive, 0);
      }
    }
  }
}

TEST(Handles, of_push_keeps_the_entry_after_any_number_of_grace_periods) {
  Atomic<int> alive{0};
  Stack<Counted> stack;
  auto pushed = stack.emplace(alive, 1);
  stack.pop();
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(ebr::stats().pending_objects, 0u) << "what is held is no garbage";
  EXPECT_EQ(pushed->value(), 1);
  pushed.reset();
  EXPECT_EQ(alive, 0) << "the last owner frees it at once: the grace period is over";
}

// Borrowed under a barrier; then both owners go, with the stack.
TEST(Handles, and_the_stack_may_go_before_a_reference_that_was_got_under_a_barrier) {
  Atomic<int> alive{0};
  for (const bool pusher_first : {false, true}) {
    {
      const Barrier barrier;
      auto stack = std::make_unique<Stack<Counted>>();
      auto pushed = stack->emplace(alive, 1);
      stack->emplace(alive, 2);
      const Counted* newest = stack->peek(barrier);
      const auto range = stack->iter(barrier);
      if (pusher_first) pushed.reset();
      stack->pop();
      stack.reset();
      pushed.reset();
      reclaim_all(100);
      EXPECT_EQ(alive, 2);
      EXPECT_EQ(newest->value(), 2);
      int expected = 2;
      for (const Counted& value : range) EXPECT_EQ(value.value(), expected--);
      EXPECT_EQ(expected, 0);
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, 0);
  }
}

TEST(Handles, take_moves_out_and_lets_go) {
  Stack<std::string> stack;
  auto pushed = stack.push("another string longer than any small string");
  stack.pop();
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(std::move(pushed).take(), "another string longer than any small string");
  EXPECT_FALSE(pushed);
}

// Over-aligned values, and a destructor that uses the stack of its own kind.
struct alignas(128) Wide {
  int number;
};
TEST(Stack, aligns_its_values) {
  Stack<Wide> stack;
  const auto pushed = stack.push({1});
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pushed.get()) % 128, 0u);
}

struct Tree {
  explicit Tree(Atomic<int>& alive, int depth) : counted(alive) {
    if (depth != 0) below.emplace(alive, depth - 1);
  }
  Counted counted;
  Stack<Tree> below;
};
TEST(Stack, may_be_used_and_go_in_the_destructor_of_an_entry) {
  Atomic<int> alive{0};
  {
    Stack<Tree> root;
    root.emplace(alive, 100);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(Stack, of_millions_of_entries_goes_without_recursion) {
  Stack<int> stack;
  for (int n = 0; n < 2'000'000; ++n) stack.push(n);
  stack.pop_all();
  EXPECT_TRUE(reclaim_all());
}

}  // namespace
}  // namespace scree::test
