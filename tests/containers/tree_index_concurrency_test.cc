// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <scree/tree_index.h>

#include "index_concurrency.h"
#include "index_concurrency_checks.h"
#include "jitter.h"
#include "stop_at.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

template <class V, class Index>
std::vector<std::uint64_t> forward(const Index& index, const ebr::Barrier& barrier) {
  return numbers_in<V>(index.iter(barrier));
}

template <class V, class Index>
std::vector<std::uint64_t> backward(const Index& index, const ebr::Barrier& barrier) {
  std::vector<std::uint64_t> numbers;
  auto cursor = index.cursor(barrier);
  for (cursor.seek_to_last(); cursor.valid(); cursor.prev()) {
    numbers.push_back(number_of(cursor.key()));
    if (std::int64_t{cursor.value()} != static_cast<std::int64_t>(numbers.back())) numbers.back() = UINT64_MAX;
  }
  return numbers;
}

TEST(TreeIndexConcurrency, histories_of_entries_within_leaves_are_linearizable) {
  check_histories_of_integers<TreeIndex, std::int64_t, false>({4, 8, 12, 16});
}

TEST(TreeIndexConcurrency, histories_of_entries_out_of_line_are_linearizable) {
  check_histories_of_integers<TreeIndex, Cell, true>({4, 8, 12, 16});
}

TEST(TreeIndexConcurrency, histories_of_strings_are_linearizable) {
  const Jitter jitter;
  TreeIndex<std::string, Cell> index;
  EXPECT_EQ(run_and_check({.keys = 12}, performer<std::string, Cell, true>(index)), std::nullopt);
}

TEST(TreeIndexConcurrency, histories_of_values_beside_pointers_to_keys_are_linearizable) {
  const Jitter jitter;
  TreeIndex<std::string, std::int64_t> index;
  EXPECT_EQ(run_and_check({.keys = 12}, performer<std::string, std::int64_t, false>(index)), std::nullopt);
}

// Many keys, so that leaves and inner nodes are split and unlinked under the recorded operations.
TEST(TreeIndexConcurrency, histories_are_linearizable_while_the_tree_grows_and_shrinks) {
  check_histories_of_integers<TreeIndex, std::int64_t, false>({400, 400, 400, 400});
}

template <class K, class V>
void check_iteration(std::uint64_t keys, bool clears) {
  for (const Order order : {Order::kAscending, Order::kDescending}) {
    TreeIndex<K, V> index;
    EXPECT_EQ((iterate_beside_writers<K, V>(index, keys, 6, order, clears,
                                            [&](const ebr::Barrier& barrier) {
                                              return order == Order::kAscending ? forward<V>(index, barrier)
                                                                                : backward<V>(index, barrier);
                                            })),
              std::nullopt)
        << (order == Order::kAscending ? "forward" : "backward");
  }
}

TEST(TreeIndexConcurrency, iteration_visits_what_is_present_throughout_exactly_once_and_in_order) {
  const Jitter jitter;
  check_iteration<std::uint64_t, std::int64_t>(60, false);
  check_iteration<std::uint64_t, std::int64_t>(1000, false);
  check_iteration<std::uint64_t, Cell>(300, false);
  check_iteration<std::string, Cell>(300, false);
}

TEST(TreeIndexConcurrency, iteration_visits_nothing_twice_beside_clear) {
  const Jitter jitter;
  check_iteration<std::uint64_t, std::int64_t>(300, true);
  check_iteration<std::string, Cell>(100, true);
}

// The tree changes at every step of one walk: what was there from the start is still visited once, in order.
TEST(TreeIndexConcurrency, a_cursor_keeps_its_promise_over_a_tree_that_changes_at_every_step) {
  for (const Order order : {Order::kAscending, Order::kDescending}) {
    for (std::uint64_t stride = 1; stride < 12; ++stride) {
      TreeIndex<std::uint64_t, std::int64_t> index;
      IterationPromise promise{.present = {}, .changing = {}, .order = order};
      for (std::uint64_t n = 0; n < 400; ++n) {
        if (n % 8 == 0) promise.present.insert(n);
        if (n % 8 != 0) promise.changing.insert(n);
        if (n % 3 != 1 || n % 8 == 0) index.insert(n, static_cast<std::int64_t>(n));
      }
      const ebr::Barrier barrier;
      auto cursor = index.cursor(barrier);
      std::vector<std::uint64_t> visited;
      std::uint64_t random = stride;
      order == Order::kAscending ? cursor.seek_to_first() : cursor.seek_to_last();
      while (cursor.valid()) {
        visited.push_back(cursor.key());
        for (int n = 0; n < 20; ++n) {
          random = random * 6364136223846793005u + 1442695040888963407u;
          // Around the cursor, so that the leaves that it is on and goes to are split and unlinked.
          const std::uint64_t key = (cursor.key() + (random >> 33) % 40 * stride + 400 - 20) % 400;
          if (key % 8 == 0) {
            index.upsert(key, static_cast<std::int64_t>(key));
          } else if ((random >> 60) < 8) {
            index.insert(key, static_cast<std::int64_t>(key));
          } else {
            index.remove(key);
          }
        }
        order == Order::kAscending ? cursor.next() : cursor.prev();
      }
      EXPECT_EQ(promise.violation(visited), std::nullopt) << "stride " << stride;
    }
  }
}

TEST(TreeIndexConcurrency, ascending_inserts_by_many_threads_lose_nothing) {
  constexpr std::uint64_t kThreads = 3, kKeys = 3000;
  TreeIndex<std::uint64_t, std::int64_t> index;
  Atomic<std::uint64_t> next{0};
  StartLine start(kThreads);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      start.wait();
      for (std::uint64_t key; (key = next++) < kKeys;) EXPECT_TRUE(index.insert(key, static_cast<std::int64_t>(key)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  IterationPromise promise{.present = {}, .changing = {}, .order = Order::kAscending};
  for (std::uint64_t key = 0; key < kKeys; ++key) promise.present.insert(key);
  const ebr::Barrier barrier;
  EXPECT_EQ(promise.violation(forward<std::int64_t>(index, barrier)), std::nullopt);
}

// The leaf that empties and fills is the first one, the last one and one between.
TEST(TreeIndexConcurrency, removals_of_everything_beside_inserts_leave_what_they_should) {
  constexpr std::uint64_t kKeys = 200;
  TreeIndex<std::uint64_t, std::int64_t> index;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> threads;
    StartLine start(2);
    for (std::uint64_t t = 0; t < 2; ++t) {
      threads.emplace_back([&, t] {
        start.wait();
        for (std::uint64_t n = 0; n < kKeys; ++n) {
          const std::uint64_t key = (round % 2 == 0 ? n : kKeys - 1 - n) * 2 + t;
          EXPECT_TRUE(index.insert(key, static_cast<std::int64_t>(key)));
          if (n >= 3) {
            EXPECT_TRUE(index.remove((round % 2 == 0 ? n - 3 : kKeys - 1 - (n - 3)) * 2 + t));
          }
        }
        for (std::uint64_t n = kKeys - 3; n < kKeys; ++n) {
          EXPECT_TRUE(index.remove((round % 2 == 0 ? n : kKeys - 1 - n) * 2 + t));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(index.is_empty());
    EXPECT_EQ(index.len(), 0u);
  }
}

TEST(TreeIndexConcurrency, an_insert_that_loses_the_race_leaves_its_arguments_untouched) {
  check_that_an_insert_that_loses_the_race_leaves_its_arguments_untouched<TreeIndex>("tree:insert:written");
}

TEST(TreeIndexConcurrency, frees_everything_after_concurrent_work) {
  check_that_everything_is_freed_after_concurrent_work<TreeIndex, std::string>();
}

#if SCREE_SYNC_POINTS

using Numbers = TreeIndex<std::uint64_t, std::int64_t>;

// Everything but the keys that the stopped writer is at can be read, both ways.
void expect_multiples_of_ten(const Numbers& index) {
  std::uint64_t present = 0;
  for (std::uint64_t n = 0; n < 10'000; ++n) {
    const bool found = index.contains(n);
    present += found;
    EXPECT_TRUE(found || n % 10 != 0 || (n > 5000 && n <= 8000)) << n;
  }
  const ebr::Barrier barrier;
  auto numbers = forward<std::int64_t>(index, barrier);
  EXPECT_EQ(numbers.size(), present);
  const auto descending = backward<std::int64_t>(index, barrier);
  EXPECT_TRUE(std::equal(numbers.rbegin(), numbers.rend(), descending.begin(), descending.end()));
}

// A writer that is stopped at each step of a split, a merge and an unlink: readers finish, and so do writers elsewhere,
// also where they use up and copy leaves below the same parent.
class TreeIndexStopped : public testing::TestWithParam<const char*> {};

TEST_P(TreeIndexStopped, holds_up_no_reader_and_no_far_writer) {
  Numbers index;
  for (std::uint64_t n = 0; n < 1000; ++n) index.insert(n * 10, static_cast<std::int64_t>(n * 10));
  WaitingThread writer([&](auto pause) {
    const StopAt stop(GetParam(), pause);
    for (std::uint64_t n = 5001; n < 5100; ++n) index.insert(n, static_cast<std::int64_t>(n));
    // One after another, so that leaves become empty beside full ones; then evenly, so that neighbours become small
    // together.
    for (std::uint64_t n = 8000; n > 6000; --n) index.remove(n);
    for (std::uint64_t first = 5001; first < 5009; ++first) {
      for (std::uint64_t n = first; n < 5900; n += 8) index.remove(n);
    }
    for (std::uint64_t n = 6001; n < 6500; ++n) index.insert(n, static_cast<std::int64_t>(n));
    index.remove_range(excluded(std::uint64_t{6000}), excluded(std::uint64_t{6500}));
  });
  ASSERT_TRUE(writer.is_paused());
  expect_multiples_of_ten(index);
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t n = 0; n < 200; ++n) EXPECT_TRUE(index.upsert(n * 10, static_cast<std::int64_t>(n * 10)));
    for (std::uint64_t n = 850; n < 1000; ++n) EXPECT_TRUE(index.upsert(n * 10, static_cast<std::int64_t>(n * 10)));
  }
  EXPECT_TRUE(index.remove(std::uint64_t{0}));
  EXPECT_TRUE(index.remove(std::uint64_t{9990}));
  EXPECT_TRUE(index.insert(std::uint64_t{0}, std::int64_t{0}));
  EXPECT_TRUE(index.insert(std::uint64_t{9990}, std::int64_t{9990}));
  expect_multiples_of_ten(index);
  writer.finish();
  EXPECT_EQ(index.len(), 1000u - 89 - 200) << "5010, 5020 ... 5890 and 6010 ... 8000 are gone";
}
INSTANTIATE_TEST_SUITE_P(At, TreeIndexStopped,
                         testing::Values("tree:insert:written", "tree:leaf:frozen", "tree:leaf:copied",
                                         "tree:split:frozen", "tree:split:published", "tree:merge:frozen",
                                         "tree:unlink:frozen", "tree:range:frozen"),
                         [](const auto& of) {
                           std::string name(of.param);
                           std::replace(name.begin(), name.end(), ':', '_');
                           return name;
                         });

// A writer that is stopped while it copies a leaf holds up nobody, not even those who write in that leaf.
class TreeIndexStoppedCopy : public testing::TestWithParam<const char*> {};

TEST_P(TreeIndexStoppedCopy, holds_up_no_writer_of_the_same_leaf) {
  Numbers index;
  for (std::uint64_t n = 0; n < 3; ++n) index.insert(n, 0);
  WaitingThread writer([&](auto pause) {
    const StopAt stop(GetParam(), pause);
    for (std::int64_t n = 1; n < 100; ++n) index.upsert(std::uint64_t{1}, n);
  });
  ASSERT_TRUE(writer.is_paused());
  for (std::int64_t n = 1; n < 1000; ++n) {
    EXPECT_TRUE(index.upsert(std::uint64_t{2}, n));
    EXPECT_EQ(index.read(std::uint64_t{2}, [](std::uint64_t, std::int64_t value) { return value; }), n);
  }
  writer.finish();
  EXPECT_EQ(index.read(std::uint64_t{1}, [](std::uint64_t, std::int64_t value) { return value; }), 99);
}
INSTANTIATE_TEST_SUITE_P(At, TreeIndexStoppedCopy, testing::Values("tree:leaf:frozen", "tree:leaf:copied"),
                         [](const auto& of) { return std::string(of.param).substr(10); });

#endif

}  // namespace
}  // namespace scree::test
