// SPDX-License-Identifier: Apache-2.0
//
// Coroutines that await TreeIndex's operations, beside a thread that is stopped at each step of a structural change:
// they wait for it, and then complete, once. This program's operator new counts, and can be made to fail.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <scree/ebr.h>
#include <scree/resume_hook.h>
#include <scree/tree_index.h>

#include "reclaim.h"
#include "support/coroutine.h"
#include "support/failing_new.h"
#include "support/tree_walk.h"
#include "tree_index_async.h"

namespace scree::test {
namespace {

TEST(TreeIndexAsync, completes_at_once_where_nothing_is_in_the_way) {
  TreeIndex<std::string, std::string> index;
  const auto use = [](TreeIndex<std::string, std::string>& of, bool& done) -> Coroutine {
    std::vector<bool> results;
    for (int n = 0; n < 300; ++n) results.push_back(co_await of.insert_async(std::to_string(1000 + n), "a value"));
    results.push_back(!co_await of.insert_async("1000", "another"));
    results.push_back(co_await of.upsert_async("1000", "another"));
    results.push_back(!co_await of.upsert_async("0999", "the first"));
    results.push_back(co_await of.update_async("1001", [](const std::string& value) { return value + "!"; }));
    results.push_back(!co_await of.update_async("none", [](const std::string& value) { return value; }));
    results.push_back(co_await of.remove_async("1002"));
    results.push_back(!co_await of.remove_async("1002"));
    results.push_back(!co_await of.remove_if_async("1003", [](const std::string& value) { return value.empty(); }));
    results.push_back(co_await of.remove_if_async("1003", [](const std::string& value) { return !value.empty(); }));
    results.push_back(co_await of.pop_first_async([](std::string_view key, const std::string& value) {
      EXPECT_EQ(key, "0999");
      EXPECT_EQ(value, "the first");
    }));
    results.push_back(co_await of.pop_last_async([](std::string_view key, const auto&) { EXPECT_EQ(key, "1299"); }));
    for (int n = 0; n < 297; ++n) results.push_back(co_await of.pop_first_async([](const auto&, const auto&) {}));
    results.push_back(!co_await of.pop_first_async([](const auto&, const auto&) { ADD_FAILURE(); }));
    results.push_back(!co_await of.pop_last_async([](const auto&, const auto&) { ADD_FAILURE(); }));
    EXPECT_EQ(std::count(results.begin(), results.end(), false), 0);
    done = true;
  };
  bool done = false;
  const Coroutine coroutine = use(index, done);
  EXPECT_TRUE(coroutine.is_done() && done);
  EXPECT_TRUE(index.is_empty());
}

// Beyond what the operation itself needs: the same number as the operation of threads.
TEST(TreeIndexAsync, needs_no_memory_where_nothing_is_in_the_way) {
  const auto allocations = [](auto operation) {
    Numbers index;
    for (std::uint64_t n = 0; n < 100; ++n) index.insert(n, 0);
    const std::size_t before = FailurePoint::allocations;
    operation(index);
    return FailurePoint::allocations - before;
  };
  const std::size_t by_thread = allocations([](Numbers& index) {
    for (std::uint64_t n = 50; n < 150; ++n) index.upsert(n, 1);
    for (std::uint64_t n = 0; n < 150; ++n) index.remove(n);
  });
  const std::size_t by_coroutine = allocations([](Numbers& index) {
    const auto use = [](Numbers& of) -> Coroutine {
      for (std::uint64_t n = 50; n < 150; ++n) co_await of.upsert_async(n, 1);
      for (std::uint64_t n = 0; n < 150; ++n) co_await of.remove_async(n);
    };
    EXPECT_TRUE(use(index).is_done());
  });
  EXPECT_EQ(by_coroutine, by_thread + 1) << "but for the frame of the coroutine";
}

#if SCREE_CHECKED
TEST(TreeIndexAsyncDeathTest, is_not_awaited_within_a_barrier) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  Numbers index;
  EXPECT_DEATH(
      {
        const ebr::Barrier barrier;
        bool result = false;
        const Coroutine a = insert_one(index, 1, result);
      },
      "is suspended while its thread holds a Barrier");
}
#endif

#if SCREE_SYNC_POINTS

// What each coroutine reports.
struct Reports {
  explicit Reports(std::size_t coroutines) : results(coroutines) {}

  std::size_t unfinished() const {
    return static_cast<std::size_t>(std::count(results.begin(), results.end(), std::nullopt));
  }
  void report(std::size_t n, bool result) {
    EXPECT_EQ(results[n], std::nullopt) << "it completes once";
    EXPECT_TRUE(is_outside());
    results[n] = result;
  }

  std::vector<std::optional<bool>> results;
};

enum class Op { kInsert, kUpsertAnew, kUpsertAgain, kUpdate, kRemove, kRemoveIf };
constexpr Op kOps[] = {Op::kInsert, Op::kUpsertAnew, Op::kUpsertAgain, Op::kUpdate, Op::kRemove, Op::kRemoveIf};
bool is_of_present_keys(Op op) { return op != Op::kInsert && op != Op::kUpsertAnew; }

template <class Index>
Coroutine run_op(Index& index, Op op, std::uint64_t key, Reports& reports, std::size_t n) {
  using V = typename Index::mapped_type;
  bool result = false;
  switch (op) {
    case Op::kInsert:
      result = co_await index.insert_async(key, V(-1));
      break;
    case Op::kUpsertAnew:
      result = !co_await index.upsert_async(key, V(-1));
      break;
    case Op::kUpsertAgain:
      result = co_await index.upsert_async(key, V(-1));
      break;
    case Op::kUpdate:
      result = co_await index.update_async(key, [](const V& value) { return V(-1 - std::int64_t{value}); });
      break;
    case Op::kRemove:
      result = co_await index.remove_async(key);
      break;
    case Op::kRemoveIf:
      result = co_await index.remove_if_async(key, [](const V& value) { return std::int64_t{value} == 0; });
      break;
  }
  reports.report(n, result);
}

// The values of all keys when each operation has succeeded once.
template <class Index>
void expect_done(const Index& index, Op op, const std::vector<std::uint64_t>& keys) {
  using V = typename Index::mapped_type;
  for (const std::uint64_t key : keys) {
    const auto value = index.read(key, [](std::uint64_t, const V& v) { return std::int64_t{v}; });
    if (op == Op::kRemove || op == Op::kRemoveIf) {
      EXPECT_EQ(value, std::nullopt) << key;
    } else {
      EXPECT_EQ(value, -1) << key;
    }
  }
  EXPECT_TRUE(size_is_exact(index));
}

// A thread is stopped in a change; coroutines want to write in its leaves, and elsewhere.
template <class V>
void check_that_all_wait_and_complete(const Stop& stop, Op op, bool with_hook) {
  if (is_of_present_keys(op) && !stop.leaves_keys) return;
  SCOPED_TRACE(std::string(stop.point) + ", operation " + std::to_string(static_cast<int>(op)));
  TreeIndex<std::uint64_t, V> index;
  fill(index, stop.entries);
  std::vector<std::uint64_t> keys;
  for (std::uint64_t n = stop.first; n < stop.end; ++n) {
    if (!is_of_present_keys(op)) keys.push_back(n * 10 + 2);
    if (is_of_present_keys(op) && stop.stays(n)) keys.push_back(n * 10);
  }
  if (op == Op::kInsert) {
    // Until each leaf has to be split, also those beside, which then need the same locks.
    for (const std::uint64_t digit : {4, 6, 8}) {
      for (std::uint64_t n = stop.first; n < stop.end; ++n) keys.push_back(n * 10 + digit);
    }
  }
  Reports reports(keys.size());
  std::vector<Coroutine> coroutines;
  Collects hook;
  {
    WaitingThread writer([&](auto pause) {
      const StopAt at(stop.point, pause);
      stop.run(index);
    });
    ASSERT_TRUE(writer.is_paused());
    std::optional<ResumeScope> scope;
    if (with_hook) scope.emplace(hook);
    for (std::size_t n = 0; n < keys.size(); ++n) coroutines.push_back(run_op(index, op, keys[n], reports, n));
    EXPECT_GT(reports.unfinished(), 0u);
    EXPECT_LT(reports.unfinished(), keys.size()) << "it is held up only where it has to be";
    scope.reset();
    writer.finish();
  }
  // In the opposite order; each may have to wait again.
  while (!hook.collected.empty()) {
    const auto last = hook.collected.back();
    hook.collected.pop_back();
    last.resume();
  }
  EXPECT_EQ(reports.unfinished(), 0u);
  EXPECT_EQ(std::count(reports.results.begin(), reports.results.end(), false), 0);
  expect_done(index, op, keys);
}

class TreeIndexAsyncAt : public testing::TestWithParam<Stop> {};

TEST_P(TreeIndexAsyncAt, waits_and_completes_by_the_thread_that_goes_on) {
  for (const Op op : kOps) {
    check_that_all_wait_and_complete<std::int64_t>(GetParam(), op, false);
    check_that_all_wait_and_complete<Cell>(GetParam(), op, false);
  }
  EXPECT_TRUE(reclaim_all());
}

TEST_P(TreeIndexAsyncAt, waits_and_completes_by_its_hook_in_any_order) {
  for (const Op op : kOps) check_that_all_wait_and_complete<std::int64_t>(GetParam(), op, true);
  EXPECT_TRUE(reclaim_all());
}

INSTANTIATE_TEST_SUITE_P(Of, TreeIndexAsyncAt, testing::ValuesIn(kStops),
                         [](const auto& of) { return of.param.name(); });

// The leaf at an end of the tree is split, merged or unlinked.
TEST(TreeIndexAsync, pops_wait_and_complete) {
  struct At {
    const char* point;
    bool grows;
  };
  for (const At at : {At{"tree:split:frozen", true}, At{"tree:merge:frozen", false}, At{"tree:unlink:frozen", false}}) {
    for (const bool first : {true, false}) {
      SCOPED_TRACE(std::string(at.point) + (first ? " at the first leaf" : " at the last leaf"));
      constexpr std::uint64_t kBegin = 10'000, kEntries = 300, kPops = 40;
      Numbers index;
      for (std::uint64_t n = 0; n < kEntries; ++n) index.insert(kBegin + n, 0);
      // Neighbours that are so small that they fit into one.
      if (std::string_view(at.point) == "tree:merge:frozen") {
        for (std::uint64_t n = 0; n < kEntries; ++n) {
          if (n % 3 != 1) index.remove(kBegin + n);
        }
      }
      const std::size_t entries = index.len();
      std::uint64_t moved = 0;  // in by the thread, or out
      std::vector<std::uint64_t> popped;
      std::vector<Coroutine> coroutines;
      WaitingThread writer([&](auto pause) {
        bool reached = false;
        const StopAt stop(at.point, [&] {
          reached = true;
          pause();
        });
        for (std::uint64_t n = 0; !reached && n < kEntries - kPops; ++n) {
          ++moved;
          if (at.grows) {
            index.insert(first ? kBegin - 1 - n : kBegin + kEntries + n, 0);
            continue;
          }
          const ebr::Barrier barrier;
          first ? index.pop_first(barrier) : index.pop_last(barrier);
        }
      });
      ASSERT_TRUE(writer.is_paused());
      const auto pop_first = [](Numbers& of, std::vector<std::uint64_t>& to) -> Coroutine {
        const bool any = co_await of.pop_first_async([&to](std::uint64_t key, std::int64_t) { to.push_back(key); });
        EXPECT_TRUE(any && is_outside());
      };
      const auto pop_last = [](Numbers& of, std::vector<std::uint64_t>& to) -> Coroutine {
        const bool any = co_await of.pop_last_async([&to](std::uint64_t key, std::int64_t) { to.push_back(key); });
        EXPECT_TRUE(any && is_outside());
      };
      for (std::uint64_t n = 0; n < kPops; ++n) {
        coroutines.push_back(first ? pop_first(index, popped) : pop_last(index, popped));
      }
      EXPECT_LT(popped.size(), kPops);
      writer.finish();
      for (const Coroutine& coroutine : coroutines) EXPECT_TRUE(coroutine.is_done());
      ASSERT_EQ(popped.size(), kPops);
      const bool in_order =
          first ? std::is_sorted(popped.begin(), popped.end()) : std::is_sorted(popped.rbegin(), popped.rend());
      EXPECT_TRUE(in_order || at.grows);  // there the thread's last insert may come after some pops
      std::sort(popped.begin(), popped.end());
      EXPECT_EQ(std::adjacent_find(popped.begin(), popped.end()), popped.end());
      EXPECT_EQ(index.len(), at.grows ? entries + moved - kPops : entries - moved - kPops);
      EXPECT_TRUE(size_is_exact(index));
    }
  }
}

// The hook's executor has one thread, which meanwhile writes without awaiting.
TEST(TreeIndexAsync, keeps_no_lock_until_its_hook_resumes_it) {
  for (const Stop& stop : kStops) {
    Numbers index;
    fill(index, stop.entries);
    Collects hook;
    std::vector<Coroutine> coroutines;
    Reports reports(stop.end - stop.first);
    {
      WaitingThread writer([&](auto pause) {
        const StopAt at(stop.point, pause);
        stop.run(index);
      });
      ASSERT_TRUE(writer.is_paused());
      const ResumeScope scope(hook);
      for (std::uint64_t n = stop.first; n < stop.end; ++n) {
        coroutines.push_back(run_op(index, Op::kInsert, n * 10 + 2, reports, n - stop.first));
      }
    }
    EXPECT_GT(reports.unfinished(), 0u);
    for (std::uint64_t n = 0; n < stop.entries; ++n) EXPECT_TRUE(index.insert(n * 10 + 4, 0));
    while (!hook.collected.empty()) {
      const ResumeScope scope(hook);
      const auto last = hook.collected.back();
      hook.collected.pop_back();
      last.resume();
    }
    EXPECT_EQ(reports.unfinished(), 0u);
  }
}

// Resumed by who has no scope, it waits for a second change: of the hook with which it began.
TEST(TreeIndexAsync, goes_to_the_hook_of_the_thread_on_which_it_began_to_wait) {
  constexpr std::uint64_t kKey = 5'000'000;
  Numbers index;
  for (std::uint64_t n = 0; n < 1000; ++n) index.insert(n * 10'000 + 5000, 0);
  Collects hook;
  bool result = false;
  Coroutine coroutine;
  // Keys on both sides of it, until their leaf is split.
  const auto split_the_leaf = [&](std::uint64_t distance) {
    return [&index, distance](auto pause) {
      const StopAt at("tree:split:frozen", pause);
      for (std::uint64_t n = 1; n < 50; ++n) {
        index.insert(kKey - distance - n, 0);
        index.insert(kKey + distance + n, 0);
      }
    };
  };
  std::optional<WaitingThread> writer(std::in_place, split_the_leaf(1000));
  ASSERT_TRUE(writer->is_paused());
  {
    const ResumeScope scope(hook);
    coroutine = insert_one(index, kKey, result);
  }
  ASSERT_FALSE(coroutine.is_done());
  writer.reset();
  ASSERT_EQ(hook.collected.size(), 1u);
  writer.emplace(split_the_leaf(0));
  ASSERT_TRUE(writer->is_paused());
  std::exchange(hook.collected, {})[0].resume();
  ASSERT_FALSE(coroutine.is_done());
  writer.reset();
  ASSERT_EQ(hook.collected.size(), 1u);
  EXPECT_FALSE(coroutine.is_done());
  std::exchange(hook.collected, {})[0].resume();
  EXPECT_TRUE(coroutine.is_done() && result);
}

// The value was moved into a draft when it first had to wait. It cannot be given back: there is no assignment.
struct Unassignable {
  explicit Unassignable(int n) : number(std::make_unique<int>(n)) {}
  Unassignable(Unassignable&&) = default;
  Unassignable& operator=(Unassignable&&) = delete;
  std::unique_ptr<int> number;
};

// A split in which `index`'s leaf of 5000 is claimed; `between` is called while a coroutine that is collected by `hook`
// waits for it, once the split is over.
template <class Index, class V, class Begin, class Between>
void wait_for_a_split(Index& index, V value, Begin begin, Between between) {
  for (std::uint64_t n = 0; n < 1000; ++n) index.insert(n * 10, value(0));
  Collects hook;
  Coroutine coroutine;
  {
    WaitingThread writer([&](auto pause) {
      const StopAt at("tree:split:frozen", pause);
      for (std::uint64_t n = 5001; n < 5100; n += 2) index.insert(n, value(0));
    });
    ASSERT_TRUE(writer.is_paused());
    const ResumeScope scope(hook);
    coroutine = begin();
    ASSERT_FALSE(coroutine.is_done());
  }
  between();
  while (!hook.collected.empty()) {
    const ResumeScope scope(hook);
    std::exchange(hook.collected, {})[0].resume();
  }
  EXPECT_TRUE(coroutine.is_done());
}

TEST(TreeIndexAsync, inserts_the_value_that_it_was_given_after_a_wait) {
  TreeIndex<std::uint64_t, Unassignable> index;
  wait_for_a_split(
      index, [](int n) { return Unassignable(n); },
      [&] {
        return [](auto& of) -> Coroutine {
          const bool fresh = co_await of.insert_async(std::uint64_t{5002}, Unassignable(7));
          EXPECT_TRUE(fresh);
        }(index);
      },
      [] {});
  EXPECT_EQ(index.read(std::uint64_t{5002}, [](auto, const Unassignable& v) { return v.number ? *v.number : -1; }), 7);
}

TEST(TreeIndexAsync, leaves_the_value_untouched_where_the_key_came_in_while_it_waited) {
  TreeIndex<std::uint64_t, std::unique_ptr<int>> index;
  auto value = std::make_unique<int>(7);
  bool seen = false;
  const auto insert = [](auto& of, std::unique_ptr<int>& to_insert, bool& unchanged) -> Coroutine {
    // In one expression: it is given back before the result is.
    const bool absent = co_await of.insert_async(std::uint64_t{5002}, std::move(to_insert)) || to_insert == nullptr;
    unchanged = !absent;
  };
  wait_for_a_split(
      index, [](int n) { return std::make_unique<int>(n); }, [&] { return insert(index, value, seen); },
      [&] { EXPECT_TRUE(index.insert(std::uint64_t{5002}, std::make_unique<int>(8))); });
  EXPECT_TRUE(seen);
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(*value, 7);
}

TEST(TreeIndexAsync, delivers_what_a_function_throws_to_who_awaits) {
  for (const bool after_a_wait : {false, true}) {
    Numbers index;
    int calls = 0;
    bool caught = false;
    const auto update = [after_a_wait](Numbers& of, int& called, bool& is_caught) -> Coroutine {
      try {
        const bool done = co_await of.update_async(std::uint64_t{5000}, [&called, after_a_wait](std::int64_t v) {
          if (++called == (after_a_wait ? 2 : 1)) throw 5;
          return v + 1;
        });
        EXPECT_FALSE(done);
      } catch (int) {
        is_caught = is_outside();
      }
    };
    if (after_a_wait) {
      wait_for_a_split(
          index, [](int n) { return n; }, [&] { return update(index, calls, caught); }, [] {});
    } else {
      fill(index, 1000);
      EXPECT_TRUE(update(index, calls, caught).is_done());
    }
    EXPECT_TRUE(caught);
    EXPECT_EQ(index.read(std::uint64_t{5000}, [](auto, std::int64_t v) { return v; }), 0);
  }
}

// Each allocation of an insert that has to wait fails in turn, at last that of the coroutine that waits; and each of
// the attempt that follows.
TEST(TreeIndexAsync, delivers_the_failure_of_an_allocation_to_who_awaits) {
  struct Text : std::string {
    using std::string::string;
    std::byte size[detail::BlockSize::kLargest] = {};  // its entry comes from operator new
  };
  using Texts = TreeIndex<std::uint64_t, Text>;
  const auto insert = [](Texts& index, Text& value, std::size_t failing_step, bool& done) -> Coroutine {
    FailurePoint::left = failing_step;
    try {
      const bool fresh = co_await index.insert_async(std::uint64_t{5002}, std::move(value));
      EXPECT_TRUE(fresh);
      done = true;
    } catch (const std::bad_alloc&) {
      EXPECT_TRUE(is_outside());
    }
    FailurePoint::left = 0;
  };
  for (const bool after_a_wait : {false, true}) {
    bool done = false;
    std::size_t step = 0;
    while (!done) {
      ++step;
      ASSERT_LT(step, 100u);
      Texts index;
      Text value(100, 'v');
      Collects hook;
      Coroutine coroutine;
      for (std::uint64_t n = 0; n < 1000; ++n) index.insert(n * 10, "");
      {
        WaitingThread writer([&](auto pause) {
          const StopAt at("tree:split:frozen", pause);
          for (std::uint64_t n = 5001; n < 5100; n += 2) index.insert(n, "");
        });
        const ResumeScope scope(hook);
        coroutine = insert(index, value, after_a_wait ? 0 : step, done);
        FailurePoint::left = 0;
        EXPECT_FALSE(done);
      }
      while (!hook.collected.empty()) {
        const ResumeScope scope(hook);
        const auto next = std::exchange(hook.collected, {})[0];
        FailurePoint::left = after_a_wait ? step : 0;
        next.resume();
        FailurePoint::left = 0;
      }
      EXPECT_TRUE(coroutine.is_done());
      EXPECT_EQ(value, done ? "" : std::string(100, 'v'));
      EXPECT_EQ(index.contains(std::uint64_t{5002}), done);
      EXPECT_TRUE(size_is_exact(index));
    }
    // The entry, and the coroutine that waits. The entry is kept, so that nothing has to fail after the wait.
    EXPECT_GE(step, after_a_wait ? 1u : 3u);
  }
  EXPECT_TRUE(reclaim_all());
}

#endif

}  // namespace
}  // namespace scree::test
