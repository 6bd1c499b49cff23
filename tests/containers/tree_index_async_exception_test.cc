// SPDX-License-Identifier: Apache-2.0
//
// Every allocation, copy and comparison of an awaited operation of a TreeIndex fails in turn: where it does not wait,
// before it waits, and in the attempt that follows a wait. Each time the index holds what it held before, and the
// arguments are as they were. This program's operator new can be made to fail.

#include <gtest/gtest.h>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <iterator>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include <scree/ebr.h>
#include <scree/resume_hook.h>
#include <scree/tree_index.h>

#include "index_failures.h"
#include "reclaim.h"
#include "support/coroutine.h"
#include "tree_index_async.h"

namespace scree::test {
namespace {

enum class Op { kInsert, kUpsert, kUpdate, kRemove, kRemoveIf, kPopFirst, kPopLast, kRemoveRange };
constexpr Op kOps[] = {Op::kInsert,   Op::kUpsert,   Op::kUpdate,  Op::kRemove,
                       Op::kRemoveIf, Op::kPopFirst, Op::kPopLast, Op::kRemoveRange};

// One operation, which has something to do, and what came of it.
template <class Config>
class Awaited {
 public:
  using Index = TreeIndex<typename Config::Key, Fussy>;
  static constexpr int kLength = 300;  // of a range

  Awaited(Op op, int n) : op_(op), n_(n), key_(Config::key(n)), value_(n) {}

  // From `step` steps on, the first one that may fail does, until the operation is over.
  Coroutine begin(Index& index, std::size_t step) {
    FailurePoint::left = step;
    try {
      switch (op_) {
        case Op::kInsert:
          result_ = co_await index.insert_async(key_, std::move(value_));
          break;
        case Op::kUpsert:
          result_ = co_await index.upsert_async(key_, std::move(value_));
          break;
        case Op::kUpdate:
          result_ = co_await index.update_async(key_, [](const Fussy& old) { return Fussy(old.value() + 1000); });
          break;
        case Op::kRemove:
          result_ = co_await index.remove_async(key_);
          break;
        case Op::kRemoveIf:
          result_ = co_await index.remove_if_async(key_, [](const Fussy&) { return true; });
          break;
        case Op::kPopFirst:
          result_ = co_await index.pop_first_async([](const auto&, const Fussy&) {});
          break;
        case Op::kPopLast:
          result_ = co_await index.pop_last_async([](const auto&, const Fussy&) {});
          break;
        case Op::kRemoveRange:
          result_ = co_await index.remove_range_async(lower_, upper_);
          break;
      }
    } catch (const std::bad_alloc&) {
      error_ = std::current_exception();
    } catch (const Failure&) {
      error_ = std::current_exception();
    }
    FailurePoint::left = 0;
    EXPECT_TRUE(is_outside());
  }
  void expect_arguments_untouched() const {
    EXPECT_EQ(value_.value(), n_) << "a failure leaves the arguments untouched";
    EXPECT_EQ(Config::number(key_), n_);
  }
  std::map<int, int> changes(std::map<int, int> map) const {
    switch (op_) {
      case Op::kInsert:
      case Op::kUpsert:
        map[n_] = n_;
        break;
      case Op::kUpdate:
        map[n_] += 1000;
        break;
      case Op::kRemove:
      case Op::kRemoveIf:
        map.erase(n_);
        break;
      case Op::kPopFirst:
        map.erase(map.begin());
        break;
      case Op::kPopLast:
        map.erase(std::prev(map.end()));
        break;
      case Op::kRemoveRange:
        map.erase(map.lower_bound(n_), map.lower_bound(n_ + kLength));
        break;
    }
    return map;
  }
  bool is_done() const { return result_.has_value(); }
  // Throws what the operation did.
  std::size_t result() const {
    if (error_) std::rethrow_exception(error_);
    return *result_;
  }
  std::exception_ptr error() const { return error_; }

 private:
  const Op op_;
  const int n_;
  const typename Config::Key key_;
  Fussy value_;
  const Bound<typename Config::Key> lower_{BoundKind::kIncluded, Config::key(n_)};
  const Bound<typename Config::Key> upper_{BoundKind::kExcluded, Config::key(n_ + kLength)};
  std::optional<std::size_t> result_;
  std::exception_ptr error_;
};

template <class Config>
class TreeIndexAsyncException : public testing::Test {
 public:
  using Index = typename Awaited<Config>::Index;

  // Where nobody is in the way.
  static void fail(Index& index, std::map<int, int>& expected, Op op, int n) {
    const auto afterwards = Awaited<Config>(op, n).changes(expected);
    fail_at_every_step<Config>(index, expected, afterwards, [&] {
      const std::size_t step = std::exchange(FailurePoint::left, 0);
      Awaited<Config> awaited(op, n);
      const Coroutine coroutine = awaited.begin(index, step);
      EXPECT_TRUE(coroutine.is_done());
      if (awaited.error()) awaited.expect_arguments_untouched();
      const bool is_new = op == Op::kUpsert && !expected.contains(n);
      EXPECT_EQ(awaited.result(), is_new ? 0u : 1u);
    });
  }
};
using Configs = testing::Types<FussyConfig, StringConfig, IntegerConfig>;
TYPED_TEST_SUITE(TreeIndexAsyncException, Configs);

// The index grows and shrinks, so that every kind of structural change comes by.
TYPED_TEST(TreeIndexAsyncException, changes_nothing_where_it_does_not_wait) {
  constexpr int kKeys = 151;
  {
    typename TestFixture::Index index;
    std::map<int, int> expected;
    for (int i = 0; i < kKeys; ++i) {
      const int n = i * 7 % kKeys;
      TestFixture::fail(index, expected, i % 2 == 0 ? Op::kInsert : Op::kUpsert, n);
      TestFixture::fail(index, expected, i % 3 == 0 ? Op::kUpsert : Op::kUpdate, n);
    }
    for (int i = 0; i < kKeys; ++i) {
      const auto middle = std::next(expected.begin(), static_cast<std::ptrdiff_t>(expected.size() / 2))->first;
      const Op ops[] = {Op::kRemove, Op::kPopFirst, Op::kRemoveIf, Op::kPopLast};
      TestFixture::fail(index, expected, ops[i % 4], middle);
    }
    EXPECT_TRUE(index.is_empty());
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(Fussy::alive, 0);
}

TYPED_TEST(TreeIndexAsyncException, a_removal_of_a_range_leaves_the_others) {
  fail_removal_of_a_range<TypeParam>([](auto& index, const auto& lower, const auto& upper) {
    std::size_t removed = 0;
    std::exception_ptr error;
    const std::size_t step = std::exchange(FailurePoint::left, 0);
    const auto use = [&]() -> Coroutine {
      FailurePoint::left = step;
      try {
        removed = co_await index.remove_range_async(lower, upper);
      } catch (...) {
        error = std::current_exception();
      }
    };
    EXPECT_TRUE(use().is_done());
    if (error) std::rethrow_exception(error);
    return removed;
  });
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(Fussy::alive, 0);
}

#if SCREE_SYNC_POINTS

// The leaf in which it is to write is being split. `after_the_wait`: it fails in the attempt that follows, or before.
template <class Config>
void fail_an_operation_that_waits(Op op, bool after_the_wait) {
  SCOPED_TRACE("operation " + std::to_string(static_cast<int>(op)) + (after_the_wait ? " after" : " before"));
  constexpr int kKeys = 330;
  const int leaf = op == Op::kPopFirst ? 0 : op == Op::kPopLast ? 10 * (kKeys - 1) : 5 * kKeys;
  const int n = op == Op::kInsert || op == Op::kUpsert ? leaf + 2 : leaf;
  bool failed = true;
  for (std::size_t step = 1; failed; ++step) {
    ASSERT_LT(step, 10'000u);
    typename Awaited<Config>::Index index;
    for (int i = 0; i < kKeys; ++i) index.insert(Config::key(10 * i), Fussy(10 * i));
    Awaited<Config> awaited(op, n);
    Collects hook;
    Coroutine coroutine;
    FailurePoint::failed = false;
    {
      WaitingThread writer([&](auto pause) {
        const StopAt at("tree:split:frozen", pause);
        for (int i = 1; i < 50; ++i) {
          const int key = leaf + (op == Op::kPopLast ? 1 - 2 * i : 2 * i - 1);
          index.insert(Config::key(key), Fussy(key));
        }
      });
      ASSERT_TRUE(writer.is_paused());
      const ResumeScope scope(hook);
      coroutine = awaited.begin(index, after_the_wait ? 0 : step);
      FailurePoint::left = 0;
      ASSERT_FALSE(awaited.is_done());
      ASSERT_EQ(coroutine.is_done(), static_cast<bool>(awaited.error()));
    }
    const auto before = contents<Config>(index);
    while (!hook.collected.empty()) {
      const ResumeScope scope(hook);
      const auto next = std::exchange(hook.collected, {})[0];
      FailurePoint::left = after_the_wait ? step : 0;
      next.resume();
      FailurePoint::left = 0;
    }
    ASSERT_TRUE(coroutine.is_done());
    failed = FailurePoint::failed;
    if (awaited.is_done()) {
      ASSERT_EQ(contents<Config>(index), awaited.changes(before)) << "step " << step;
    } else {
      ASSERT_TRUE(failed);
      awaited.expect_arguments_untouched();
      auto now = contents<Config>(index);
      if (op == Op::kRemoveRange) {  // some may be removed
        EXPECT_EQ(awaited.changes(now), awaited.changes(before)) << "step " << step;
      } else {
        ASSERT_EQ(now, before) << "step " << step;
      }
    }
  }
}

TYPED_TEST(TreeIndexAsyncException, changes_nothing_where_it_would_have_to_wait) {
  for (const Op op : kOps) fail_an_operation_that_waits<TypeParam>(op, false);
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(Fussy::alive, 0);
}

TYPED_TEST(TreeIndexAsyncException, changes_nothing_after_a_wait) {
  for (const Op op : kOps) fail_an_operation_that_waits<TypeParam>(op, true);
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(Fussy::alive, 0);
}

#endif

// The index has no way to put it back where others may have seen that it is gone.
TEST(TreeIndexAsyncPopException, leaves_no_entry_where_its_function_throws) {
  Numbers index;
  fill(index, 100);
  bool caught = false;
  const auto pop = [](Numbers& of, bool& is_caught) -> Coroutine {
    try {
      co_await of.pop_first_async([](std::uint64_t, std::int64_t) { throw 5; });
    } catch (int) {
      is_caught = is_outside();
    }
  };
  EXPECT_TRUE(pop(index, caught).is_done());
  EXPECT_TRUE(caught);
  EXPECT_FALSE(index.contains(std::uint64_t{0}));
  EXPECT_EQ(index.len(), 99u);
}

}  // namespace
}  // namespace scree::test
