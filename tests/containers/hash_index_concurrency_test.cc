// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <scree/hash_index.h>

#include "hash_kinds.h"
#include "index_concurrency.h"
#include "index_concurrency_checks.h"
#include "jitter.h"
#include "stop_at.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

TEST(HashIndexConcurrency, histories_of_integers_are_linearizable) {
  check_histories_of_integers<HashIndex, Cell, true>({4, 8, 12, 16});
}

TEST(HashIndexConcurrency, histories_of_strings_are_linearizable) {
  const Jitter jitter;
  HashIndex<std::string, Cell> index;
  EXPECT_EQ(run_and_check({.keys = 8}, performer<std::string, Cell, true>(index)), std::nullopt);
}

TEST(HashIndexConcurrency, histories_are_linearizable_in_one_chain) {
  const Jitter jitter;
  HashIndex<std::uint64_t, Cell, OneHash> index;
  EXPECT_EQ(run_and_check({}, performer<std::uint64_t, Cell, true>(index)), std::nullopt);
}

// Many keys, so that the table grows under the recorded operations again and again.
TEST(HashIndexConcurrency, histories_are_linearizable_while_the_table_grows) {
  check_histories_of_integers<HashIndex, Cell, true>({512, 512, 512, 512});
}

TEST(HashIndexConcurrency, iteration_visits_what_is_present_throughout_exactly_once) {
  const Jitter jitter;
  for (const std::uint64_t keys : {60, 600}) {
    HashIndex<std::uint64_t, Cell> index;
    EXPECT_EQ((iterate_beside_writers<std::uint64_t, Cell>(
                  index, keys, 8, Order::kNone, false,
                  [&](const ebr::Barrier& barrier) { return numbers_in<Cell>(index.iter(barrier)); })),
              std::nullopt);
  }
}

TEST(HashIndexConcurrency, iteration_visits_nothing_twice_beside_clear) {
  const Jitter jitter;
  HashIndex<std::string, Cell> index;
  EXPECT_EQ((iterate_beside_writers<std::string, Cell>(
                index, 300, 8, Order::kNone, true,
                [&](const ebr::Barrier& barrier) { return numbers_in<Cell>(index.iter(barrier)); })),
            std::nullopt);
}

// Inserts the first `keys` numbers, which are promised to be there.
template <class Index>
IterationPromise insert_present(Index& index, std::uint64_t keys) {
  IterationPromise promise;
  for (std::uint64_t n = 0; n < keys; ++n) {
    promise.present.insert(n);
    index.insert(n, static_cast<std::int64_t>(n));
  }
  return promise;
}

// The table grows several times within one iteration, from every place of it.
TEST(HashIndexConcurrency, iteration_keeps_its_promise_across_growth_at_every_place) {
  for (std::size_t place = 1; place <= 40; ++place) {
    HashIndex<std::uint64_t, Cell> index;
    IterationPromise promise = insert_present(index, 40);
    const ebr::Barrier barrier;
    std::vector<std::uint64_t> visited;
    for (auto [key, value] : index.iter(barrier)) {
      visited.push_back(key);
      if (visited.size() != place) continue;
      for (std::uint64_t n = 1000; n < 1500; ++n) {
        promise.changing.insert(n);
        index.insert(n, static_cast<std::int64_t>(n));
      }
      for (const std::uint64_t n : promise.present) index.upsert(n, static_cast<std::int64_t>(n));
    }
    EXPECT_EQ(promise.violation(visited), std::nullopt) << "place " << place;
  }
}

// The entry that an iteration stands on goes, is replaced, or goes with those around it: it goes on as the chain did.
TEST(HashIndexConcurrency, iteration_goes_on_from_an_entry_that_is_removed_or_replaced) {
  constexpr std::uint64_t kKeys = 30;
  for (std::uint64_t place = 0; place < kKeys; ++place) {
    for (const bool replace : {false, true}) {
      HashIndex<std::uint64_t, Cell, OneHash> index;
      IterationPromise promise = insert_present(index, kKeys);
      const ebr::Barrier barrier;
      std::vector<std::uint64_t> visited;
      for (auto [key, value] : index.iter(barrier)) {
        visited.push_back(key);
        if (visited.size() != place + 1) continue;
        for (const std::uint64_t n : {key, key - 1, key + 1, key + 2}) {
          if (n >= kKeys) continue;
          if (replace) {
            index.upsert(n, static_cast<std::int64_t>(n));
          } else {
            index.remove(n);
            promise.present.erase(n);
            promise.changing.insert(n);
            if (n == key) index.insert(n, static_cast<std::int64_t>(n));
          }
        }
      }
      EXPECT_EQ(promise.violation(visited), std::nullopt) << "place " << place;
    }
  }
}

TEST(HashIndexConcurrency, inserts_of_one_key_by_many_threads_succeed_once) {
  constexpr std::size_t kThreads = 4, kKeys = 500;
  HashIndex<std::uint64_t, Cell> index;
  Atomic<std::size_t> inserted{0};
  StartLine start(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      start.wait();
      for (std::uint64_t key = 0; key < kKeys; ++key) inserted += index.insert(key, Cell(1));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(inserted, kKeys);
  EXPECT_EQ(index.len(), kKeys);
}

TEST(HashIndexConcurrency, an_insert_that_loses_the_race_leaves_its_arguments_untouched) {
  check_that_an_insert_that_loses_the_race_leaves_its_arguments_untouched<HashIndex>("hash:insert:made");
}

TEST(HashIndexConcurrency, frees_everything_after_concurrent_work) {
  check_that_everything_is_freed_after_concurrent_work<HashIndex, std::uint64_t>();
}

TEST(HashIndexConcurrency, readers_and_other_writers_finish_while_a_writer_is_stopped_inside_a_resize) {
#if SCREE_SYNC_POINTS
  for (const char* point : {"hash:resize:chosen", "hash:resize:published", "hash:move:copied"}) {
    constexpr std::uint64_t kKeys = 1000;
    HashIndex<std::uint64_t, Cell> index;
    IterationPromise promise;
    Atomic<std::uint64_t> inserted{0};
    WaitingThread writer([&](auto pause) {
      const StopAt stop(point, pause);
      for (std::uint64_t n = 0; n < kKeys; ++n) {
        index.insert(n, static_cast<std::int64_t>(n));
        inserted = n + 1;
      }
    });
    ASSERT_TRUE(writer.is_paused()) << point;
    // The next one may be in, and the stopped thread may hold its bucket.
    for (std::uint64_t n = 0; n < inserted; ++n) {
      EXPECT_TRUE(index.contains(n)) << n;
      promise.present.insert(n);
    }
    promise.changing.insert(inserted);
    EXPECT_FALSE(index.contains(kKeys));
    const ebr::Barrier barrier;
    EXPECT_EQ(promise.violation(numbers_in<Cell>(index.iter(barrier))), std::nullopt) << point;
    if (std::string_view(point) != "hash:move:copied") {
      for (std::uint64_t n = kKeys; n < 2 * kKeys; ++n) EXPECT_TRUE(index.insert(n, static_cast<std::int64_t>(n)));
      for (std::uint64_t n = kKeys; n < 2 * kKeys; ++n) EXPECT_TRUE(index.remove(n));
    }
    writer.finish();
    EXPECT_EQ(index.len(), kKeys);
  }
#else
  GTEST_SKIP() << "built without sync points";
#endif
}

}  // namespace
}  // namespace scree::test
