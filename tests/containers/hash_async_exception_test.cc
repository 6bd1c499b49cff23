// SPDX-License-Identifier: Apache-2.0
//
// Every allocation, copy, comparison and hash of an awaited operation of a hash container fails in turn: where it does
// not wait, before it waits, and in the attempt that follows a wait. Each time the container holds what it held before,
// and the arguments are as they were. This program's operator new can be made to fail.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <scree/resume_hook.h>

#include "awaiting.h"
#include "hash_async.h"
#include "hash_twins.h"
#include "index_failures.h"
#include "reclaim.h"
#include "support/coroutine.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

struct FussyValues {
  using Value = Fussy;
  static constexpr bool kOutOfLine = true;
  static Value value(std::int64_t n) {
    if (FailurePoint::strikes()) throw Failure();
    return Fussy(static_cast<int>(n));
  }
};
struct FussyKeys : FussyValues {
  using Key = Fussy;
  static Key key(std::uint64_t n) { return Fussy(static_cast<int>(n)); }
  static std::uint64_t number(const Key& key) { return static_cast<std::uint64_t>(key.value()); }
};
struct FussyTexts : FussyValues {
  using Key = std::string;
  static Key key(std::uint64_t n) { return Texts::key(n); }
  static std::uint64_t number(std::string_view key) { return Texts::number(key); }
};
struct FailingHash {
  using is_avalanching = void;
  using is_transparent = void;
  std::uint64_t operator()(const auto& key) const {
    if (FailurePoint::strikes()) throw Failure();
    return HashInOrder()(key);
  }
  std::uint64_t operator()(const Fussy& key) const { return (*this)(static_cast<std::uint64_t>(key.value())); }
};
template <Kind kOf, class Config>
using Failing = Face<kOf, Config, FailingHash>;

template <class Face>
class HashAsyncException : public testing::Test {
 public:
  using Container = typename Face::Container;
  using Contents = std::map<std::uint64_t, typename Face::Value>;

  // An attempt of which one step fails, and what is there before, and would be afterwards.
  struct Attempt {
    Attempt(const Twins<Face>& of, std::uint64_t n) : twins(of), arguments(n), given(arguments.described()) {
      Arguments<Face> same(n);
      Container other;
      fill<Face>(other);
      before = Face::contents(other);
      expected = twins.now(other, same);
      afterwards = Face::contents(other);
      outcome.ends = [] { FailurePoint::left = 0; };
      FailurePoint::failed = false;
    }
    Coroutine begin(Container& container, std::size_t step) {
      outcome.begins = [step] { FailurePoint::left = step; };
      Coroutine coroutine = twins.in_coroutine(container, arguments, outcome);
      FailurePoint::left = 0;
      return coroutine;
    }
    // True if there was nothing left to fail.
    bool expect_all_or_nothing(Container& container, bool is_of_one_key) {
      const auto now = Face::contents(container);
      if (outcome.result) {
        EXPECT_TRUE(expected == "void" || outcome.result == expected);
        EXPECT_EQ(now, afterwards);
        return !FailurePoint::failed;
      }
      EXPECT_TRUE(FailurePoint::failed);
      EXPECT_NE(outcome.error, nullptr);
      if (is_of_one_key) {
        EXPECT_EQ(now, before);
        Arguments<Face> same(arguments.n);
        arguments.keys_met.clear();
        EXPECT_EQ(arguments.described(), given) << "a failure leaves the arguments untouched";
      } else {
        // What was done of it stays; what is left can be done.
        twins.now(container, arguments);
        EXPECT_EQ(Face::contents(container), afterwards);
      }
      return false;
    }

    const Twins<Face> twins;
    Arguments<Face> arguments;
    const std::string given;
    std::string expected;
    Contents before, afterwards;
    Outcome outcome;
  };

  // Calls `check(attempt, container, step)`, which begins and ends the attempt, until no step is left.
  template <class Check>
  static void fail_at_every_step(const Check& check) {
    const auto all_of = [&check](const std::vector<Twins<Face>>& many, bool is_of_one_key) {
      for (const Twins<Face>& twins : many) {
        for (const std::uint64_t n : {nth(0), absent_beside(0)}) {
          bool is_over = false;
          for (std::size_t step = 1; !is_over; ++step) {
            SCOPED_TRACE(std::string(twins.name) + " of " + std::to_string(n) + ", step " + std::to_string(step));
            ASSERT_LT(step, 1000u);
            Container container;
            fill<Face>(container);
            Attempt attempt(twins, n);
            check(attempt, container, step);
            is_over = attempt.expect_all_or_nothing(container, is_of_one_key);
            if (testing::Test::HasFatalFailure()) return;
          }
        }
      }
    };
    all_of(twins_of_one_key<Face>(), true);
    all_of(twins_of_many_keys<Face>(false), false);
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(Fussy::alive, 0);
  }
};
using Faces =
    testing::Types<Failing<Kind::kIndex, FussyKeys>, Failing<Kind::kIndex, FussyTexts>, Failing<Kind::kIndex, Numbers>,
                   Failing<Kind::kMap, FussyKeys>, Failing<Kind::kMap, FussyTexts>, Failing<Kind::kMap, Numbers>,
                   Failing<Kind::kSet, FussyKeys>, Failing<Kind::kSet, FussyTexts>>;
TYPED_TEST_SUITE(HashAsyncException, Faces);

TYPED_TEST(HashAsyncException, changes_nothing_where_it_does_not_wait) {
  TestFixture::fail_at_every_step(
      [](auto& attempt, auto& container, std::size_t step) { EXPECT_TRUE(attempt.begin(container, step).is_done()); });
}

TYPED_TEST(HashAsyncException, changes_nothing_where_it_would_have_to_wait) {
  TestFixture::fail_at_every_step([](auto& attempt, auto& container, std::size_t step) {
    WaitingThread holder(holding<TypeParam>(container, nth(0)));
    const Coroutine coroutine = attempt.begin(container, step);
    EXPECT_EQ(coroutine.is_done(), attempt.outcome.is_over());
    holder.finish();
    EXPECT_TRUE(coroutine.is_done());
  });
}

TYPED_TEST(HashAsyncException, changes_nothing_after_a_wait) {
  TestFixture::fail_at_every_step([](auto& attempt, auto& container, std::size_t step) {
    Collects hook;
    Coroutine coroutine;
    {
      const WaitingThread holder(holding<TypeParam>(container, nth(0)));
      const ResumeScope scope(hook);
      coroutine = attempt.begin(container, 0);
    }
    if (!hook.collected.empty()) {
      FailurePoint::left = step;
      hook.collected[0].resume();
      FailurePoint::left = 0;
    }
    EXPECT_TRUE(coroutine.is_done());
  });
}

// So that every kind of change comes by.
TYPED_TEST(HashAsyncException, changes_nothing_while_the_table_grows_and_shrinks) {
  using Face = TypeParam;
  constexpr std::uint64_t kMany = 200;
  {
    typename Face::Container container;
    const auto change = [&container](const Twins<Face>& twins, std::uint64_t n) {
      for (std::size_t step = 1;; ++step) {
        ASSERT_LT(step, 1000u);
        const bool was_there = Face::contains(container, n);
        Arguments<Face> arguments(n);
        const std::string given = arguments.described();
        Outcome outcome;
        outcome.begins = [step] { FailurePoint::left = step; };
        outcome.ends = [] { FailurePoint::left = 0; };
        EXPECT_TRUE(twins.in_coroutine(container, arguments, outcome).is_done());
        FailurePoint::left = 0;
        if (outcome.result) return;
        EXPECT_EQ(Face::contains(container, n), was_there);
        EXPECT_EQ(arguments.described(), given);
      }
    };
    const auto all = twins_of_one_key<Face>();
    for (const bool grows : {true, false}) {
      for (std::uint64_t n = 0; n < kMany; ++n) {
        const std::uint64_t number = n * 7 % kMany * 256;
        for (const Twins<Face>& twins : all) {
          if (std::string_view(twins.name) == "remove(a.key)" && grows) continue;
          if (!std::string_view(twins.name).starts_with(grows ? "insert" : "remove(")) continue;
          change(twins, number);
        }
        ASSERT_EQ(Face::contents(container).size(), grows ? n + 1 : kMany - n - 1);
      }
    }
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(Fussy::alive, 0);
}

// What lies in slots is hashed again where a walk goes on in a larger bucket than it came from.
template <class Face>
class HashAsyncWalkException : public testing::Test {};
using InSlots =
    testing::Types<Failing<Kind::kIndex, Numbers>, Failing<Kind::kMap, Numbers>, Failing<Kind::kSet, Numbers>>;
TYPED_TEST_SUITE(HashAsyncWalkException, InSlots);

TYPED_TEST(HashAsyncWalkException, counts_what_is_there_when_it_fails_after_the_table_has_shrunk) {
  for (const auto& twins : twins_of_many_keys<TypeParam>(true)) {
    bool is_over = false;
    // There are hundreds, each of much the same kind.
    for (std::size_t step = 1; !is_over; step += 1 + step / 4) {
      SCOPED_TRACE(std::string(twins.name) + ", step " + std::to_string(step));
      ASSERT_LT(step, 1000u);
      typename TypeParam::Container container;
      fill<TypeParam>(container);
      for (std::uint64_t n = 0; n < kMore; ++n) TypeParam::insert(container, more(n));
      Arguments<TypeParam> arguments(0);
      Outcome outcome;
      outcome.ends = [] { FailurePoint::left = 0; };
      Collects hook;
      Coroutine walk;
      std::vector<Coroutine> others;
      {
        const WaitingThread holder(holding<TypeParam>(container, kBehindOthers));
        std::optional<ResumeScope> scope(hook);
        walk = twins.in_coroutine(container, arguments, outcome);
        scope.reset();
        for (std::uint64_t n = 0; n < kMore; ++n) others.push_back(remove_one<TypeParam>(container, more(n)));
      }
      ASSERT_EQ(hook.collected.size(), 1u);
      FailurePoint::left = step;
      FailurePoint::failed = false;
      hook.collected[0].resume();
      FailurePoint::left = 0;
      EXPECT_TRUE(outcome.is_over());
      is_over = !FailurePoint::failed;
      const auto contents = TypeParam::contents(container);
      EXPECT_EQ(container.clear(), contents.size());
    }
  }
}

}  // namespace
}  // namespace scree::test
