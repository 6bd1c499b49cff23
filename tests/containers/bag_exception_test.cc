// SPDX-License-Identifier: Apache-2.0
//
// Every allocation and every constructor of an element fails in turn, and each time the bag holds what it held before.
// This program's operator new can be made to fail.

#include <gtest/gtest.h>

#include <cstddef>
#include <new>
#include <optional>
#include <set>
#include <utility>

#include <scree/bag.h>

#include "reclaim.h"
#include "support/failing_new.h"

namespace scree::test {
namespace {

struct Failure {};

// Every constructor may throw; counts its instances.
class Fussy {
 public:
  explicit Fussy(int n) : n_(n) { made(); }
  Fussy(const Fussy& other) : n_(other.n_) { made(); }
  Fussy(Fussy&& other) : n_(other.n_) {  // NOLINT(performance-noexcept-move-constructor): that is the point
    made();
    other.n_ = -1;
  }
  Fussy& operator=(const Fussy&) = delete;
  ~Fussy() { --alive; }
  int value() const { return n_; }

  static inline int alive = 0;

 private:
  static void made() {
    if (FailurePoint::strikes()) throw Failure();
    ++alive;
  }
  int n_;
};

using Fussies = Bag<Fussy, 4, 2>;

std::multiset<int> contents(Fussies& bag) {
  std::multiset<int> all;
  for (const Fussy& element : bag.iter()) all.insert(element.value());
  return all;
}

// Runs `operation()` with its first fallible step failing, then its second, … until none does; each time the bag must
// have been left as it was.
template <class Operation>
void fail_at_every_step(Fussies& bag, Operation operation) {
  for (std::size_t step = 1;; ++step) {
    const std::multiset<int> before = contents(bag);
    FailurePoint::failed = false;
    FailurePoint::left = step;
    try {
      operation();
      FailurePoint::left = 0;
      ASSERT_FALSE(FailurePoint::failed) << "a failure is not passed over in silence";
      return;
    } catch (const std::bad_alloc&) {
    } catch (const Failure&) {
    }
    FailurePoint::left = 0;
    ASSERT_TRUE(FailurePoint::failed);
    ASSERT_EQ(contents(bag), before) << "step " << step;
    ASSERT_EQ(bag.len(), before.size());
    ASSERT_EQ(bag.is_empty(), before.empty());
    ASSERT_LT(step, 100u);
  }
}

TEST(BagException, changes_nothing) {
  constexpr int kElements = 23;
  {
    Fussies bag;
    std::multiset<int> expected;
    for (int round = 0; round < 2; ++round) {
      for (int n = 0; n < kElements; ++n) {
        const Fussy element(n);
        ASSERT_NO_FATAL_FAILURE({
          if (n % 3 == 0) fail_at_every_step(bag, [&] { bag.push(element); });
          if (n % 3 == 1) fail_at_every_step(bag, [&] { bag.push(Fussy(n)); });
          if (n % 3 == 2) fail_at_every_step(bag, [&] { bag.emplace(n); });
        });
        expected.insert(n);
        ASSERT_EQ(contents(bag), expected);
      }
      for (int left = kElements; left != 0; --left) {
        ASSERT_NO_FATAL_FAILURE(fail_at_every_step(bag, [&] {
          const std::optional<Fussy> popped = bag.pop();
          ASSERT_TRUE(popped);
          ASSERT_EQ(expected.erase(popped->value()), 1u);
        }));
      }
      EXPECT_EQ(bag.pop(), std::nullopt);
      EXPECT_EQ(bag.blocks(), 0u) << "slots of failed pushes hold nothing back";
    }
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(Fussy::alive, 0);
}

TEST(BagException, loses_of_pop_all_what_was_given_and_no_more) {
  Fussies bag;
  for (int n = 0; n < 23; ++n) bag.emplace(n);
  std::set<int> given;
  for (std::size_t left = 23; left != 0; --left) {
    EXPECT_THROW(bag.pop_all([&](Fussy&& element) {
      EXPECT_TRUE(given.insert(element.value()).second);
      throw Failure();
    }),
                 Failure);
    EXPECT_EQ(bag.len(), left - 1);
  }
  EXPECT_EQ(bag.pop_all([](Fussy&&) {}), 0u);
  EXPECT_EQ(bag.blocks(), 0u);
  EXPECT_EQ(Fussy::alive, 0);
}

TEST(BagException, is_not_possible_inline_where_nothing_of_the_elements_throws) {
  Bag<int> bag;
  const std::size_t before = FailurePoint::allocations;
  for (int round = 0; round < 1000; ++round) {
    for (std::size_t n = 0; n < bag.kInlineCapacity; ++n) bag.push(1);
    while (bag.pop()) {
    }
  }
  EXPECT_EQ(FailurePoint::allocations, before) << "nothing is allocated";
}

TEST(BagException, needs_one_allocation_per_block) {
  Bag<int> bag;
  bag.push(1), bag.len();  // this thread's record of reclamation
  const std::size_t before = FailurePoint::allocations;
  for (int n = 0; n < 1000; ++n) bag.push(n);
  EXPECT_EQ(FailurePoint::allocations - before, bag.blocks());
}

}  // namespace
}  // namespace scree::test
