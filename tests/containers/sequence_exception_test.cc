// SPDX-License-Identifier: Apache-2.0
//
// Every allocation, copy and move of an operation of Stack and Queue fails in turn; each time the container holds what
// it held before, values are where they were, and nothing leaks. This program's operator new can be made to fail.

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <new>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "reclaim.h"
#include "sequence_kinds.h"
#include "stop_at.h"
#include "support/failing_new.h"

namespace scree::test {
namespace {

using Ints = std::vector<int>;

struct Failure {};

// Copying and moving it may throw; counts its instances. Entries of a stack are too large for their memory to be kept:
// each is an allocation.
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

 protected:
  int n_;

 private:
  [[maybe_unused]] std::byte size_[detail::BlockSize::kLargest] = {};
};

// Can be moved back where it came from.
class Assignable : public Fussy {
 public:
  using Fussy::Fussy;
  Assignable(Assignable&&) = default;
  Assignable& operator=(Assignable&& other) noexcept {
    n_ = std::exchange(other.n_, kMovedFrom);
    return *this;
  }
};

template <class Kind, class T = Fussy>
using Of = typename Kind::template Container<T>;

template <class Container>
Ints numbers_in(const Container& container) {
  const ebr::Barrier barrier;
  Ints numbers;
  for (const Fussy& value : container.iter(barrier)) numbers.push_back(value.number());
  return numbers;
}

// Runs `operation(container)` with its first fallible step failing, then its second, and so on until it has no more of
// them; returns how many it had. At first the container holds 1 to `full`, and if one step fails it does so afterwards,
// else `afterwards`, in the order of pushing.
template <class Kind>
std::size_t fail_at_every_step(int full, const Ints& afterwards, const std::function<void(Of<Kind>&)>& operation) {
  const int elsewhere = Fussy::alive;
  for (std::size_t step = 1;; ++step) {
    {
      Of<Kind> container;
      Ints before(static_cast<std::size_t>(full));
      std::iota(before.begin(), before.end(), 1);
      for (const int n : before) container.emplace(n);
      bool done = false;
      FailurePoint::failed = false;
      FailurePoint::left = step;
      try {
        operation(container);
        done = true;
      } catch (const std::bad_alloc&) {
      } catch (const Failure&) {
      }
      FailurePoint::left = 0;
      EXPECT_NE(done, FailurePoint::failed);
      const Ints expected = as_popped<Kind>(done ? afterwards : before);
      EXPECT_EQ(numbers_in(container), expected) << "step " << step;
      EXPECT_EQ(container.len(), expected.size());
      // It can be used as before.
      container.emplace(77);
      Ints popped;
      while (const auto one = container.pop()) popped.push_back(one->number());
      EXPECT_EQ(popped.size(), expected.size() + 1);
      EXPECT_EQ(Kind::kLastInFirstOut ? popped.front() : popped.back(), 77);
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(Fussy::alive, elsewhere) << "step " << step;
    if (!FailurePoint::failed) return step - 1;
  }
}

// So many entries fill a queue's segments to the last place: the next push needs an allocation, as a stack's does.
constexpr int kFull = 8;
const Ints kUnchanged{1, 2, 3, 4, 5, 6, 7, 8}, kPushed{1, 2, 3, 4, 5, 6, 7, 8, 9};
template <class Kind>
Ints popped_one() {
  Ints left = kUnchanged;
  left.erase(Kind::kLastInFirstOut ? left.end() - 1 : left.begin());
  return left;
}

template <class Kind>
class SequenceException : public testing::Test {};
TYPED_TEST_SUITE(SequenceException, SequenceKinds, SequenceKindName);

TYPED_TEST(SequenceException, push_that_fails_changes_nothing) {
  EXPECT_EQ(fail_at_every_step<TypeParam>(kFull, kPushed,
                                          [](auto& container) {
                                            const Fussy value(9);
                                            container.push(value);
                                          }),
            2u)
      << "an allocation and a copy";
  EXPECT_EQ(fail_at_every_step<TypeParam>(kFull, kPushed, [](auto& container) { container.push(Fussy(9)); }), 2u);
  EXPECT_EQ(fail_at_every_step<TypeParam>(kFull, kPushed, [](auto& container) { container.emplace(9); }), 1u);
}

TYPED_TEST(SequenceException, push_of_a_value_that_cannot_be_moved_in_leaves_the_value_alone) {
  Of<TypeParam> container;
  Fussy value(3);
  for (const std::size_t step : {1u, 2u}) {
    FailurePoint::left = step;
    EXPECT_ANY_THROW(container.push(std::move(value)));
    EXPECT_EQ(value.number(), 3);
  }
}

TYPED_TEST(SequenceException, push_if_that_fails_changes_nothing) {
  EXPECT_EQ(fail_at_every_step<TypeParam>(kFull, kPushed,
                                          [](auto& container) {
                                            container.push_if(Fussy(9), [](const Fussy* newest) {
                                              if (FailurePoint::strikes()) throw Failure();
                                              return newest->number() == kFull;
                                            });
                                          }),
            3u)
      << "the condition, an allocation and a move";
}

TYPED_TEST(SequenceException, push_if_that_fails_leaves_the_value_alone) {
  for (const bool answer : {false, true}) {
    Fussy value(9);
    std::size_t failures = 0;
    fail_at_every_step<TypeParam>(kFull, answer ? kPushed : kUnchanged, [&](auto& container) {
      try {
        container.push_if(std::move(value), [answer](const Fussy*) {
          if (FailurePoint::strikes()) throw Failure();
          return answer;
        });
        EXPECT_EQ(value.number(), Fussy::kMovedFrom);
      } catch (...) {
        EXPECT_EQ(value.number(), 9);
        ++failures;
        throw;
      }
    });
    const std::size_t allocations = answer || !TypeParam::kLastInFirstOut ? 1 : 0;
    EXPECT_EQ(failures, allocations + 2) << "and the condition, and a move";
  }
}

TYPED_TEST(SequenceException, push_if_that_is_refused_and_fails_to_give_back_changes_nothing) {
  const auto refused = [](auto& container) { container.push_if(Fussy(9), [](const Fussy*) { return false; }); };
  EXPECT_EQ(fail_at_every_step<TypeParam>(1, {1}, refused), 1u);
  EXPECT_EQ(fail_at_every_step<TypeParam>(kFull, kUnchanged, refused), TypeParam::kLastInFirstOut ? 1u : 2u)
      << "a queue has room before it asks";
}

TYPED_TEST(SequenceException, pop_if_whose_condition_throws_changes_nothing) {
  EXPECT_EQ(fail_at_every_step<TypeParam>(kFull, popped_one<TypeParam>(),
                                          [](auto& container) {
                                            container.pop_if([](const Fussy&) {
                                              if (FailurePoint::strikes()) throw Failure();
                                              return true;
                                            });
                                          }),
            1u);
}

TYPED_TEST(SequenceException, what_takes_out_or_looks_has_nothing_that_fails) {
  EXPECT_EQ(fail_at_every_step<TypeParam>(kFull, popped_one<TypeParam>(),
                                          [](auto& container) { EXPECT_TRUE(container.pop()); }),
            0u);
  EXPECT_EQ(fail_at_every_step<TypeParam>(kFull, {}, [](auto& container) { container.pop_all(); }), 0u);
  EXPECT_EQ(fail_at_every_step<TypeParam>(kFull, kUnchanged,
                                          [](auto& container) {
                                            const ebr::Barrier barrier;
                                            EXPECT_NE(container.peek(barrier), nullptr);
                                            EXPECT_EQ(container.len(), static_cast<std::size_t>(kFull));
                                            EXPECT_FALSE(container.is_empty());
                                          }),
            0u);
}

TYPED_TEST(SequenceException, take_that_throws_keeps_the_entry) {
  {
    Of<TypeParam> container;
    container.emplace(1);
    auto popped = container.pop();
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
TYPED_TEST(SequenceException, a_threads_first_push_that_finds_no_memory_changes_nothing) {
  const ebr::Barrier keeps_this_threads_record;
  Of<TypeParam> container;
  std::size_t failures = 0;
  std::thread([&] {
    for (std::size_t step = 1;; ++step) {
      FailurePoint::failed = false;
      FailurePoint::left = step;
      try {
        container.emplace(1);
      } catch (const std::bad_alloc&) {
        EXPECT_TRUE(container.is_empty());
      }
      FailurePoint::left = 0;
      if (!FailurePoint::failed) break;
      ++failures;
    }
  }).join();
  EXPECT_GE(failures, 1u) << "the entry's at least: another thread may have left its record";
  EXPECT_EQ(container.pop()->number(), 1);
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
      EXPECT_EQ(numbers_in(stack), (Ints{4}));
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(Fussy::alive, 0);
  }
}

// A place in the queue is taken before the value is made in it.
TEST(QueueException, a_place_whose_value_cannot_be_made_is_passed_by_everyone) {
  {
    Queue<Fussy> queue;
    const Fussy value(9);
    for (int n = 1; n <= 30; ++n) {
      queue.emplace(n);
      for (int failures = 0; failures < n % 4; ++failures) {
        FailurePoint::left = 1;
        EXPECT_ANY_THROW(queue.push(value));
        FailurePoint::left = 0;
      }
      EXPECT_FALSE(queue.push_if(Fussy(9), [n](const Fussy* newest) { return newest->number() != n; }));
      EXPECT_EQ(queue.len(), static_cast<std::size_t>(n));
    }
    for (int n = 1; n <= 30; ++n) {
      EXPECT_EQ(queue.peek_with([](const Fussy* oldest) { return oldest->number(); }), n);
      EXPECT_EQ(queue.pop()->number(), n);
    }
    EXPECT_TRUE(queue.is_empty());
    EXPECT_FALSE(queue.pop());
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(Fussy::alive, 0);
}

#if SCREE_SYNC_POINTS

// Others change the container after the value was moved, so that push_if goes on and fails then.
TYPED_TEST(SequenceException, push_if_that_fails_after_it_has_moved_its_value_moves_it_back) {
  std::size_t failures = 0;
  for (const int full : {0, kFull - 1}) {
    for (const bool refuses : {false, true}) {
      bool failed = true;
      for (std::size_t step = 1; failed; ++step) {
        {
          Of<TypeParam, Assignable> container;
          for (int n = 1; n <= full; ++n) container.emplace(n);
          Assignable value(9);
          const StopAt stop(TypeParam::kMovedIf, [&] {
            EXPECT_EQ(value.number(), Fussy::kMovedFrom);
            while (container.pop()) {
            }
            container.emplace(77);
            FailurePoint::left = step;
          });
          FailurePoint::failed = false;
          try {
            container.push_if(std::move(value), [refuses](const Fussy* newest) {
              if (FailurePoint::strikes()) throw Failure();
              return !refuses || newest == nullptr || newest->number() != 77;
            });
          } catch (const std::bad_alloc&) {
          } catch (const Failure&) {
          }
          FailurePoint::left = 0;
          failed = FailurePoint::failed;
          EXPECT_EQ(value.number(), failed ? 9 : Fussy::kMovedFrom) << "step " << step;
          EXPECT_EQ(container.len(), failed || refuses ? 1u : 2u);
          failures += failed ? 1 : 0;
        }
        EXPECT_TRUE(reclaim_all());
        EXPECT_EQ(Fussy::alive, 0);
      }
    }
  }
  EXPECT_GE(failures, 6u) << "asking again, giving back; a queue also needs another place, and maybe room for it";
}

// Others take out everything, and the place of the push with it, so that it goes on to another one.
TEST(QueueException, a_push_whose_place_was_given_up_and_that_fails_then_loses_its_value_and_nothing_else) {
  for (const int full : {0, 1, kFull - 1, kFull}) {
    const auto when_passed = [full](auto push) {
      return [=](Queue<Fussy>& queue) {
        const auto pop_everything = [&queue] {
          while (queue.pop()) {
          }
        };
        const StopAt stop("queue:push:constructed", pop_everything);
        try {
          push(queue);
        } catch (...) {
          EXPECT_TRUE(queue.is_empty() || queue.len() == static_cast<std::size_t>(full));
          pop_everything();
          for (int n = 1; n <= full; ++n) queue.emplace(n);
          throw;
        }
      };
    };
    const auto steps_of = [&](auto push) { return fail_at_every_step<QueueKind>(full, {9}, when_passed(push)); };
    const auto at_least = steps_of([](auto& queue) { queue.emplace(9); });
    EXPECT_GE(at_least, 1u) << "moving it to another place";
    EXPECT_EQ(steps_of([](auto& queue) { queue.push(Fussy(9)); }), at_least + 1);
    EXPECT_EQ(steps_of([](auto& queue) { queue.push_if(Fussy(9), [](const Fussy*) { return true; }); }), at_least + 1);
  }
}

TEST(QueueException, push_if_that_is_refused_after_its_place_was_given_up_and_fails_to_give_back_changes_nothing) {
  std::size_t failures = 0;
  for (bool failed = true; failed; failures += failed ? 1 : 0) {
    {
      Queue<Fussy> queue;
      const StopAt stop("queue:push:constructed", [&] {
        queue.pop();
        queue.emplace(1);
        FailurePoint::left = failures + 1;
      });
      FailurePoint::failed = false;
      try {
        const auto result = queue.push_if(Fussy(9), [](const Fussy* newest) { return newest == nullptr; });
        EXPECT_EQ(result.refused->number(), 9);
      } catch (const std::bad_alloc&) {
      } catch (const Failure&) {
      }
      FailurePoint::left = 0;
      failed = FailurePoint::failed;
      EXPECT_EQ(numbers_in(queue), (Ints{1}));
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(Fussy::alive, 0);
  }
  EXPECT_GE(failures, 1u) << "giving back, and room for another place where there is none";
}

#endif

}  // namespace
}  // namespace scree::test
