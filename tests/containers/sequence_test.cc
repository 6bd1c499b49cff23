// SPDX-License-Identifier: Apache-2.0
//
// Stack and Queue, and the handles of their entries, on one thread. What only one of them promises: stack_test.cc,
// queue_test.cc.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reclaim.h"
#include "sequence_kinds.h"

namespace scree::test {
namespace {

using ebr::Barrier;
using Ints = std::vector<int>;

template <class Kind, class T>
using Of = typename Kind::template Container<T>;

template <class Kind>
class Sequence : public testing::Test {};
TYPED_TEST_SUITE(Sequence, SequenceKinds, SequenceKindName);

TYPED_TEST(Sequence, push_returns_a_handle_to_what_was_pushed) {
  Of<TypeParam, std::string> sequence;
  const auto pushed = sequence.push("a string longer than any small string");
  EXPECT_TRUE(pushed);
  EXPECT_EQ(*pushed, "a string longer than any small string");
  EXPECT_EQ(pushed->size(), 37u);
  const Barrier barrier;
  EXPECT_EQ(pushed.get(), sequence.peek(barrier)) << "the same entry, not a copy";
}

TYPED_TEST(Sequence, emplace_makes_the_value_in_its_place) {
  Of<TypeParam, std::pair<int, std::string>> sequence;
  sequence.emplace(1, "one");
  EXPECT_EQ(*sequence.pop(), std::make_pair(1, std::string("one")));
}

TYPED_TEST(Sequence, push_if_pushes_if_the_condition_holds_for_the_newest) {
  Of<TypeParam, int> sequence;
  const auto first = sequence.push_if(1, [](const int* newest) { return newest == nullptr; });
  ASSERT_TRUE(first);
  EXPECT_EQ(*first.entry, 1);
  EXPECT_FALSE(first.refused);
  EXPECT_TRUE(sequence.push_if(2, [](const int* newest) { return *newest == 1; }));
  EXPECT_EQ(contents(sequence), as_popped<TypeParam>(Ints{1, 2}));
}

TYPED_TEST(Sequence, push_if_gives_a_refused_value_back) {
  Of<TypeParam, std::unique_ptr<int>> sequence;
  auto refused = sequence.push_if(std::make_unique<int>(7), [](const auto* newest) { return newest != nullptr; });
  EXPECT_FALSE(refused);
  EXPECT_FALSE(refused.entry);
  ASSERT_TRUE(refused.refused);
  EXPECT_EQ(**refused.refused, 7);
  EXPECT_TRUE(sequence.is_empty());
}

// The newest entry changes after the condition's answer, so that it is asked again.
TYPED_TEST(Sequence, push_if_asks_again_where_there_is_a_newer_entry_and_then_still_gives_its_value_back) {
  Of<TypeParam, std::unique_ptr<int>> sequence;
  int asked = 0;
  auto refused = sequence.push_if(std::make_unique<int>(7), [&](const auto* newest) {
    ++asked;
    if (newest != nullptr) return false;
    sequence.push(std::make_unique<int>(1));
    return true;
  });
  EXPECT_EQ(asked, 2);
  ASSERT_TRUE(refused.refused);
  EXPECT_EQ(**refused.refused, 7);
  EXPECT_EQ(**sequence.pop(), 1);
  EXPECT_FALSE(sequence.pop());
}

TYPED_TEST(Sequence, push_if_asks_again_where_the_newest_entry_is_popped) {
  Of<TypeParam, int> sequence;
  sequence.push(1);
  Ints asked;
  EXPECT_TRUE(sequence.push_if(2, [&](const int* newest) {
    asked.push_back(newest == nullptr ? 0 : *newest);
    sequence.pop();
    return true;
  }));
  EXPECT_EQ(asked, (Ints{1, 0}));
  EXPECT_EQ(contents(sequence), (Ints{2}));
}

TYPED_TEST(Sequence, pop_if_tells_popped_from_empty_and_refused) {
  using Outcome = typename Of<TypeParam, int>::PopOutcome;
  Of<TypeParam, int> sequence;
  const auto is_odd = [](const int& next) { return next % 2 == 1; };
  EXPECT_EQ(sequence.pop_if(is_odd).outcome, Outcome::kEmpty);
  push_to_be_popped<TypeParam>(sequence, Ints{2, 1});
  const auto refused = sequence.pop_if(is_odd);
  EXPECT_FALSE(refused);
  EXPECT_FALSE(refused.entry);
  EXPECT_EQ(refused.outcome, Outcome::kRefused);
  EXPECT_EQ(*sequence.pop(), 2);
  const auto popped = sequence.pop_if(is_odd);
  EXPECT_TRUE(popped);
  EXPECT_EQ(popped.outcome, Outcome::kPopped);
  EXPECT_EQ(*popped.entry, 1);
  EXPECT_EQ(sequence.pop_if(is_odd).outcome, Outcome::kEmpty);
}

TYPED_TEST(Sequence, pop_if_asks_again_where_another_entry_is_the_next) {
  Of<TypeParam, int> sequence;
  push_to_be_popped<TypeParam>(sequence, Ints{1, 2, 3, 4});
  const auto popped = sequence.pop_if([&](const int& next) {
    if (next == 1) sequence.pop();
    return true;
  });
  EXPECT_EQ(*popped.entry, 2);
  const auto refused = sequence.pop_if([&](const int& next) {
    if (next == 3) sequence.pop();
    return next == 3;
  });
  EXPECT_EQ(refused.outcome, (Of<TypeParam, int>::PopOutcome::kRefused));
  EXPECT_EQ(contents(sequence), (Ints{4}));
}

TYPED_TEST(Sequence, pop_all_takes_what_is_there_in_the_order_of_popping_and_no_more) {
  Of<TypeParam, int> sequence;
  push_to_be_popped<TypeParam>(sequence, Ints{1, 2, 3});
  auto all = sequence.pop_all();
  sequence.push(9);
  EXPECT_EQ(*all.pop(), 1);
  auto moved = std::move(all);
  EXPECT_FALSE(all.pop());
  EXPECT_EQ(*moved.pop(), 2);
  EXPECT_EQ(*moved.pop(), 3);
  EXPECT_FALSE(moved.pop());
  EXPECT_EQ(contents(sequence), (Ints{9}));
}

TYPED_TEST(Sequence, pop_all_lets_go_of_what_is_not_popped_from_its_result) {
  Atomic<int> alive{0};
  Of<TypeParam, Counted> sequence;
  for (const int pushed : {0, 1, 2, 5, 40}) {
    for (int n = 0; n < pushed; ++n) sequence.emplace(alive, n);
    sequence.pop_all();
    EXPECT_TRUE(sequence.is_empty());
    EXPECT_FALSE(sequence.pop_all().pop());
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, 0);
  }
}

TYPED_TEST(Sequence, peek_and_peek_with_see_the_next_to_be_popped) {
  Of<TypeParam, int> sequence;
  const Barrier barrier;
  const auto value_or_none = [](const int* next) { return next == nullptr ? -1 : *next; };
  EXPECT_EQ(sequence.peek(barrier), nullptr);
  EXPECT_EQ(sequence.peek_with(value_or_none), -1);
  push_to_be_popped<TypeParam>(sequence, Ints{2, 1});
  EXPECT_EQ(*sequence.peek(barrier), 2);
  EXPECT_EQ(sequence.peek_with(value_or_none), 2);
  EXPECT_EQ(sequence.len(), 2u) << "and leave it there";
}

TYPED_TEST(Sequence, iter_sees_what_was_there_when_it_was_called) {
  Of<TypeParam, int> sequence;
  push_to_be_popped<TypeParam>(sequence, Ints{1, 2, 3});
  const Barrier barrier;
  Ints seen;
  for (const int& value : sequence.iter(barrier)) {
    ASSERT_LT(seen.size(), 3u) << "what is pushed meanwhile is not visited";
    seen.push_back(value);
    sequence.pop();
    sequence.push(10 + value);
  }
  EXPECT_EQ(seen, (Ints{1, 2, 3}));
  EXPECT_EQ(sequence.len(), 3u);
}

TYPED_TEST(Sequence, a_range_may_be_walked_again_until_its_barrier_ends) {
  Of<TypeParam, int> sequence;
  push_to_be_popped<TypeParam>(sequence, Ints{1, 2, 3});
  const Barrier barrier;
  const auto range = sequence.iter(barrier);
  EXPECT_EQ(all_of(range), (Ints{1, 2, 3}));
  sequence.pop_all();
  EXPECT_EQ(all_of(range), (Ints{1, 2, 3}));
  auto at = range.begin();
  EXPECT_EQ(*at++, 1);
  EXPECT_EQ(*at, 2);
  EXPECT_EQ(at, ++range.begin());
  EXPECT_NE(at, range.begin());
  EXPECT_EQ(*++at, 3);
  EXPECT_EQ(++at, range.end());
}

TYPED_TEST(Sequence, len_counts_and_is_empty_tells) {
  Of<TypeParam, int> sequence;
  EXPECT_EQ(sequence.len(), 0u);
  EXPECT_TRUE(sequence.is_empty());
  for (int n = 0; n < 5; ++n) sequence.push(n);
  EXPECT_EQ(sequence.len(), 5u);
  EXPECT_FALSE(sequence.is_empty());
  sequence.pop();
  EXPECT_EQ(sequence.len(), 4u);
}

TYPED_TEST(Sequence, holds_what_can_only_be_moved) {
  Of<TypeParam, std::unique_ptr<int>> sequence;
  const auto pushed = sequence.push(std::make_unique<int>(1));
  EXPECT_EQ(**pushed, 1);
  std::unique_ptr<int> out = sequence.pop().take();
  EXPECT_EQ(*out, 1);
}

TYPED_TEST(Sequence, a_moved_from_or_null_handle_has_nothing) {
  Of<TypeParam, int> sequence;
  auto pushed = sequence.push(1);
  auto moved = std::move(pushed);
  EXPECT_FALSE(pushed);
  EXPECT_EQ(pushed.get(), nullptr);
  EXPECT_EQ(*moved, 1);
  moved = sequence.push(2);
  EXPECT_EQ(*moved, 2) << "what it had before was let go of";
  moved.reset();
  EXPECT_FALSE(moved);
  moved.reset();
  auto& self = moved = sequence.pop();
  const int popped = *moved;
  moved = std::move(self);
  EXPECT_EQ(*moved, popped) << "assigned to itself";
}

TYPED_TEST(Sequence, destroys_each_entry_once_when_it_goes) {
  Atomic<int> alive{0};
  {
    Of<TypeParam, Counted> sequence;
    for (int n = 0; n < 100; ++n) sequence.emplace(alive, n);
    sequence.pop();
    EXPECT_LE(alive, 100);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

struct alignas(128) Wide {
  int number;
};
TYPED_TEST(Sequence, aligns_its_values) {
  Of<TypeParam, Wide> sequence;
  for (int n = 0; n < 50; ++n) {
    const auto pushed = sequence.push({n});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pushed.get()) % 128, 0u);
    EXPECT_EQ(pushed->number, n);
  }
  int sum = 0;
  while (const auto popped = sequence.pop()) sum += popped->number;
  EXPECT_EQ(sum, 49 * 50 / 2);
}

template <class Kind>
struct Tree {
  explicit Tree(Atomic<int>& alive, int depth) : counted(alive) {
    if (depth != 0) below->emplace(alive, depth - 1);
  }
  Counted counted;
  std::unique_ptr<Of<Kind, Tree>> below = std::make_unique<Of<Kind, Tree>>();
};
TYPED_TEST(Sequence, may_be_used_and_go_in_the_destructor_of_an_entry) {
  Atomic<int> alive{0};
  {
    Of<TypeParam, Tree<TypeParam>> root;
    root.emplace(alive, 100);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TYPED_TEST(Sequence, of_millions_of_entries_goes_without_recursion) {
  Of<TypeParam, int> sequence;
  for (int n = 0; n < 2'000'000; ++n) sequence.push(n);
  sequence.pop_all();
  EXPECT_TRUE(reclaim_all());
}

// The garbage of any number of operations is freed.
TYPED_TEST(Sequence, leaves_nothing_pending_after_many_pushes_and_pops) {
  const std::uint64_t leaked = ebr::stats().leaked_objects;
  EXPECT_TRUE(reclaim_all());
  Of<TypeParam, std::string> sequence;
  for (int n = 0; n < 100'000; ++n) {
    sequence.push("a string longer than any small string");
    if (n % 1000 == 999) {
      while (sequence.pop()) {
      }
    }
  }
  EXPECT_TRUE(sequence.is_empty());
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(ebr::stats().pending_objects, 0u);
  EXPECT_EQ(ebr::stats().pending_bytes, 0u);
  EXPECT_EQ(ebr::stats().leaked_objects, leaked);
}

template <class Kind>
class Handles : public testing::Test {};
TYPED_TEST_SUITE(Handles, SequenceKinds, SequenceKindName);

// The shares of an entry end in every order: the handle of push(), and the container's, which ends with the handle of
// pop(), or with the container. Meanwhile it can be read.
enum class Owner { kPusher, kContainer };
enum class Ends { kByPop, kByPopAll, kWithTheContainer };

// `make(container)` pushes an entry; `number_of(value)` is to be `number`. `expect_alive(n)` how many entries live.
template <class Container>
void end_shares_in_every_order(auto make, auto number_of, auto expect_alive) {
  for (const Ends ends : {Ends::kByPop, Ends::kByPopAll, Ends::kWithTheContainer}) {
    for (const Owner first : {Owner::kPusher, Owner::kContainer}) {
      for (const bool collect_between : {false, true}) {
        auto container = std::make_unique<Container>();
        auto pushed = make(*container);
        typename Container::Handle popped;
        if (ends == Ends::kByPop) popped = container->pop();
        if (ends == Ends::kByPopAll) popped = container->pop_all().pop();
        if (ends != Ends::kWithTheContainer) container.reset();
        const auto end_share_of = [&](Owner owner) {
          if (owner == Owner::kPusher) return pushed.reset();
          popped.reset();
          container.reset();
        };
        end_share_of(first);
        if (collect_between) {
          EXPECT_TRUE(reclaim_all());
        }
        expect_alive(1);
        if (pushed) {
          EXPECT_EQ(number_of(*pushed), 1);
        }
        if (popped) {
          EXPECT_EQ(number_of(*popped), 1);
        }
        end_share_of(first == Owner::kPusher ? Owner::kContainer : Owner::kPusher);
        EXPECT_TRUE(reclaim_all());
        expect_alive(0);
      }
    }
  }
}
TYPED_TEST(Handles, outlive_the_container_and_each_other_in_every_order) {
  Atomic<int> alive{0};
  end_shares_in_every_order<Of<TypeParam, Counted>>([&](auto& container) { return container.emplace(alive, 1); },
                                                    [](const Counted& value) { return value.value(); },
                                                    [&](int expected) { EXPECT_EQ(alive, expected); });
  end_shares_in_every_order<Of<TypeParam, int>>([](auto& container) { return container.push(1); },
                                                [](int value) { return value; }, [](int) {});
}

TYPED_TEST(Handles, of_push_keeps_the_entry_after_any_number_of_grace_periods) {
  Atomic<int> alive{0};
  Of<TypeParam, Counted> sequence;
  auto pushed = sequence.emplace(alive, 1);
  sequence.pop();
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(ebr::stats().pending_objects, 0u) << "what is held is no garbage";
  EXPECT_EQ(pushed->value(), 1);
  pushed.reset();
  EXPECT_EQ(alive, 0) << "the last owner frees it at once: the grace period is over";
}

// Borrowed under a barrier; then both owners go, with the container.
TYPED_TEST(Handles, and_the_container_may_go_before_a_reference_that_was_got_under_a_barrier) {
  Atomic<int> alive{0};
  for (const bool pusher_first : {false, true}) {
    {
      const Barrier barrier;
      auto sequence = std::make_unique<Of<TypeParam, Counted>>();
      auto pushed = sequence->emplace(alive, 1);
      sequence->emplace(alive, 2);
      const Counted* const next = sequence->peek(barrier);
      const auto range = sequence->iter(barrier);
      if (pusher_first) pushed.reset();
      sequence->pop();
      sequence.reset();
      pushed.reset();
      reclaim_all(100);
      EXPECT_EQ(alive, 2);
      EXPECT_EQ(next->value(), as_popped<TypeParam>(Ints{1, 2}).front());
      Ints seen;
      for (const Counted& value : range) seen.push_back(value.value());
      EXPECT_EQ(seen, as_popped<TypeParam>(Ints{1, 2}));
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, 0);
  }
}

TYPED_TEST(Handles, take_moves_out_and_lets_go) {
  Of<TypeParam, std::string> sequence;
  auto pushed = sequence.push("another string longer than any small string");
  sequence.pop();
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(std::move(pushed).take(), "another string longer than any small string");
  EXPECT_FALSE(pushed);
}

}  // namespace
}  // namespace scree::test
