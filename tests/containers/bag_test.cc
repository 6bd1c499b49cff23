// SPDX-License-Identifier: Apache-2.0
//
// Bag on one thread; beside std::multiset under generated operations.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <scree/bag.h>

#include "reclaim.h"

namespace scree::test {
namespace {

constexpr int kBeyond = 5 * static_cast<int>(Bag<int>::kInlineCapacity) + 3;  // more than a few blocks hold

TEST(Bag, example_of_the_document) {
  Bag<std::size_t> bag;
  bag.push(1);
  EXPECT_FALSE(bag.is_empty());
  EXPECT_EQ(bag.pop(), std::optional<std::size_t>(1));
  EXPECT_TRUE(bag.is_empty());
}

TEST(Bag, of_nothing_has_nothing_to_pop) {
  Bag<int> bag;
  EXPECT_TRUE(bag.is_empty());
  EXPECT_EQ(bag.len(), 0u);
  EXPECT_EQ(bag.pop(), std::nullopt);
  EXPECT_EQ(bag.pop_all([](int) { FAIL(); }), 0u);
  EXPECT_EQ(bag.iter().begin(), bag.iter().end());
}

TEST(Bag, holds_two_to_the_fifth_elements_inline_unless_capacities_are_shrunk) {
#if !SCREE_SMALL_CAPACITIES
  static_assert(Bag<int>::kInlineCapacity == 32);
#endif
  Bag<int> bag;
  for (std::size_t n = 0; n < bag.kInlineCapacity; ++n) bag.push(1);
  EXPECT_EQ(bag.blocks(), 0u);
  bag.push(1);
  EXPECT_EQ(bag.blocks(), 1u);
}

TEST(Bag, gives_back_everything_that_was_pushed_once) {
  Bag<int> bag;
  std::multiset<int> expected;
  for (int n = 0; n < kBeyond; ++n) {
    bag.push(n / 2);
    expected.insert(n / 2);
    EXPECT_EQ(bag.len(), expected.size());
  }
  std::multiset<int> popped;
  while (const std::optional<int> value = bag.pop()) popped.insert(*value);
  EXPECT_EQ(popped, expected);
  EXPECT_TRUE(bag.is_empty());
}

TEST(Bag, gives_its_memory_back_as_it_empties) {
  Bag<int> bag;
  for (int round = 0; round < 3; ++round) {
    for (int n = 0; n < 20 * kBeyond; ++n) bag.push(n);
    const std::size_t most = bag.blocks();
    for (int n = 0; n < 18 * kBeyond; ++n) ASSERT_NE(bag.pop(), std::nullopt);
    EXPECT_LE(bag.blocks(), most / 5) << "after nine tenths are gone";
    while (bag.pop()) {
    }
    EXPECT_EQ(bag.blocks(), 0u);
  }
}

TEST(Bag, gives_a_block_back_that_was_hardly_used_when_it_is_empty) {
  Bag<int> bag;
  for (std::size_t n = 0; n <= bag.kInlineCapacity; ++n) bag.push(1);
  EXPECT_EQ(bag.blocks(), 1u);
  while (bag.pop()) {
  }
  EXPECT_EQ(bag.blocks(), 0u);
}

// All blocks but the newest have something in them, whatever was pushed and popped before. (What stays in the bag need
// not stay inline.)
TEST(Bag, does_not_grow_under_batches) {
  for (const std::size_t batch : {2, 7, 31, 33, 64, 100}) {
    Bag<std::size_t, 8, 16> bag;
    for (std::size_t n = 0; n < bag.kInlineCapacity; ++n) bag.push(n);
    for (std::size_t round = 0; round < 1000; ++round) {
      for (std::size_t n = 0; n < batch; ++n) bag.push(n);
      ASSERT_LE(bag.blocks(), bag.kInlineCapacity + 1 + batch / 16 + 1) << "batches of " << batch;
      for (std::size_t n = 0; n < batch; ++n) ASSERT_NE(bag.pop(), std::nullopt);
      ASSERT_LE(bag.blocks(), bag.kInlineCapacity + 1) << "batches of " << batch;
    }
  }
}
// Slots that a failed push has used up are no reason to keep their block, whoever passes by; nor what pop_all() took
// before it failed.
struct Failing {
  struct Failure {};
  explicit Failing(int n) {
    if (n < 0) throw Failure();
  }
};
TEST(Bag, does_not_grow_under_pushes_that_fail) {
  Bag<Failing, 8, 16> bag;
  for (std::size_t n = 0; n < bag.kInlineCapacity; ++n) bag.emplace(1);
  for (int round = 0; round < 1000; ++round) {
    EXPECT_THROW(bag.emplace(-1), Failing::Failure);
    ASSERT_NE(bag.pop().has_value(), false);
    bag.emplace(1);
    ASSERT_LE(bag.blocks(), 1u);
  }
}
TEST(Bag, does_not_grow_under_pop_all_that_fails) {
  Bag<int, 8, 16> bag;
  for (std::size_t n = 0; n <= bag.kInlineCapacity; ++n) bag.push(1);
  for (int round = 0; round < 1000; ++round) {
    bag.push(2);
    EXPECT_THROW(bag.pop_all([](int) { throw Failing::Failure(); }), Failing::Failure);
    ASSERT_EQ(bag.len(), bag.kInlineCapacity + 1);
    ASSERT_LE(bag.blocks(), 2u);
  }
}

RC_GTEST_PROP(Bag, has_no_more_blocks_than_elements_but_one, (const std::vector<std::int8_t>& batches)) {
  Bag<int, 2, 4> bag;
  int held = 0;
  for (const int batch : batches) {
    for (int n = 0; n < batch; ++n) bag.push(n);
    for (int n = 0; n > batch && bag.pop(); --n) --held;
    if (batch > 0) held += batch;
    RC_ASSERT(bag.len() == static_cast<std::size_t>(held));
    RC_ASSERT(bag.blocks() <= static_cast<std::size_t>(held) + 1);
  }
}

// A pair that goes on in a bag that is partly full allocates nothing, however long.
TEST(Bag, does_not_grow_under_pairs) {
  Bag<int> bag;
  for (int n = 0; n < kBeyond; ++n) bag.push(n);
  const std::size_t before = bag.blocks();
  for (int n = 0; n < 100 * kBeyond; ++n) {
    bag.push(n);
    ASSERT_NE(bag.pop(), std::nullopt);
  }
  EXPECT_LE(bag.blocks(), before + 1);
}

TEST(Bag, takes_what_can_only_be_moved_and_what_is_made_in_place) {
  Bag<std::unique_ptr<std::string>> bag;
  for (int n = 0; n < kBeyond; ++n) bag.push(std::make_unique<std::string>("moved"));
  bag.emplace(new std::string("made"));
  std::multiset<std::string> all;
  while (const auto popped = bag.pop()) all.insert(**popped);
  EXPECT_EQ(all.count("moved"), static_cast<std::size_t>(kBeyond));
  EXPECT_EQ(all.count("made"), 1u);
}

// Neither copied nor moved: pop_all gives a reference to it.
struct Fixed {
  explicit Fixed(int n) : number(n) {}
  Fixed(const Fixed&) = delete;
  const int number;
};
TEST(Bag, gives_to_pop_all_what_cannot_be_moved) {
  Bag<Fixed> bag;
  bag.emplace(5);
  EXPECT_EQ(bag.pop_all([](Fixed&& fixed) { EXPECT_EQ(fixed.number, 5); }), 1u);
  EXPECT_TRUE(bag.is_empty());
}

struct alignas(128) Aligned {
  std::uint8_t byte = 7;
};
TEST(Bag, aligns_what_it_holds) {
  Bag<Aligned> bag;
  for (int n = 0; n < kBeyond; ++n) bag.emplace();
  int seen = 0;
  for (Aligned& element : bag.iter()) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&element) % alignof(Aligned), 0u);
    ++seen;
  }
  EXPECT_EQ(seen, kBeyond);
}

TEST(Bag, iterates_over_all_of_it_and_lets_it_be_changed) {
  static_assert(std::forward_iterator<Bag<int>::Iterator>);
  Bag<int> bag;
  for (int n = 0; n < kBeyond; ++n) bag.push(n);
  for (int n = 0; n < kBeyond / 2; ++n) bag.pop();
  for (int& value : bag.iter()) value += 1000;
  std::size_t n = 0;
  for (const int value : bag.iter()) {
    EXPECT_GE(value, 1000);
    ++n;
  }
  EXPECT_EQ(n, bag.len());
}

TEST(Bag, destroys_each_element_once) {
  Atomic<int> alive{0};
  {
    Bag<Counted> bag;
    for (int n = 0; n < kBeyond; ++n) bag.push(Counted(alive, n));
    EXPECT_EQ(alive, kBeyond);
    for (int n = 0; n < kBeyond / 3; ++n) {
      const std::optional<Counted> popped = bag.pop();
      EXPECT_GE(popped->value(), 0) << "it was not destroyed before";
    }
    EXPECT_EQ(alive, kBeyond - kBeyond / 3) << "what is popped lives as long as its owner wants";
  }
  EXPECT_EQ(alive, 0);
  Bag<Counted> bag;
  for (int n = 0; n < kBeyond; ++n) bag.push(Counted(alive, n));
  EXPECT_EQ(bag.pop_all([&](Counted&& element) { EXPECT_GE(element.value(), 0); }), static_cast<std::size_t>(kBeyond));
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(bag.blocks(), 0u);
}

TEST(Bag, may_be_used_by_what_pop_all_calls) {
  Bag<int> bag;
  for (int n = 0; n < kBeyond; ++n) bag.push(0);
  std::size_t pushed = 0;
  const std::size_t given = bag.pop_all([&](int value) {
    bag.push(value + 1);
    ++pushed;
  });
  EXPECT_GE(given, static_cast<std::size_t>(kBeyond)) << "all that was in it";
  EXPECT_EQ(bag.len(), static_cast<std::size_t>(kBeyond) + pushed - given);
}

TEST(Bag, may_have_other_sizes) {
  Bag<int, 4, 8> bag;
  for (int n = 0; n < 4; ++n) bag.push(n);
  EXPECT_EQ(bag.blocks(), 0u);
  for (int n = 0; n < 9; ++n) bag.push(n);
  EXPECT_EQ(bag.blocks(), 2u);
  EXPECT_EQ(bag.len(), 13u);
}

// Many of one operation in a row, so that blocks come and go.
RC_GTEST_PROP(BagModel, agrees_with_a_multiset, ()) {
  Bag<int, 4, 2> bag;
  std::multiset<int> model;
  const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
      rc::gen::pair(rc::gen::inRange(0, 12), rc::gen::inRange(1, 20)));
  int next = 0;
  for (const auto& [kind, times] : steps) {
    for (int n = 0; n < times; ++n) {
      if (kind < 5) {
        bag.push(next / 2);
        model.insert(next++ / 2);
      } else if (kind < 10) {
        const std::optional<int> popped = bag.pop();
        RC_ASSERT(popped.has_value() == !model.empty());
        if (!popped) break;
        const auto found = model.find(*popped);
        RC_ASSERT(found != model.end());
        model.erase(found);
      }
    }
    if (kind == 10) {
      std::multiset<int> all;
      RC_ASSERT(bag.pop_all([&all](int value) { all.insert(value); }) == model.size());
      RC_ASSERT(all == model);
      RC_ASSERT(bag.blocks() == 0u);
      model.clear();
    }
    if (kind == 11) {
      std::multiset<int> all;
      for (const int value : bag.iter()) all.insert(value);
      RC_ASSERT(all == model);
    }
    RC_ASSERT(bag.len() == model.size());
    RC_ASSERT(bag.is_empty() == model.empty());
  }
}

}  // namespace
}  // namespace scree::test
