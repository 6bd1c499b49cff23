// SPDX-License-Identifier: Apache-2.0
//
// What holds for both indexes under concurrent work: each check is the body of a test of HashIndex and of one of
// TreeIndex.

#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "index_concurrency.h"
#include "jitter.h"
#include "reclaim.h"
#include "stop_at.h"
#include "waiting_thread.h"

namespace scree::test {

// Histories of operations on as many integers as each of `keys` says, each on a fresh index and with another seed.
template <template <class...> class Index, class V, bool kSharedCells>
void check_histories_of_integers(std::initializer_list<std::uint64_t> keys) {
  const Jitter jitter;
  std::uint64_t seed = 0;
  for (const std::uint64_t n : keys) {
    Index<std::uint64_t, V> index;
    EXPECT_EQ(run_and_check({.keys = n, .seed = ++seed}, performer<std::uint64_t, V, kSharedCells>(index)),
              std::nullopt);
  }
}

// The insert stops at sync point `point`, where it has made its entry and not yet published it.
template <template <class...> class Index>
void check_that_an_insert_that_loses_the_race_leaves_its_arguments_untouched([[maybe_unused]] const char* point) {
#if SCREE_SYNC_POINTS
  Index<std::string, std::unique_ptr<int>> index;
  auto value = std::make_unique<int>(2);
  bool inserted = true;
  WaitingThread loser([&](auto pause) {
    const StopAt stop(point, pause);
    inserted = index.insert("k", std::move(value));
  });
  ASSERT_TRUE(loser.is_paused());
  EXPECT_TRUE(index.insert("k", std::make_unique<int>(1)));
  loser.finish();
  EXPECT_FALSE(inserted);
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(*value, 2);
  EXPECT_EQ(index.read("k", [](auto, const std::unique_ptr<int>& v) { return *v; }), 1);
#else
  GTEST_SKIP() << "built without sync points";
#endif
}

template <template <class...> class Index, class K>
void check_that_everything_is_freed_after_concurrent_work() {
  Atomic<int> alive{0};
  {
    Index<K, Counted> index;
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 2; ++t) {
      threads.emplace_back([&, t] {
        for (std::uint64_t n = 0; n < 4000; ++n) {
          const K key = numbered_key<K>(n * 31 % 257);
          if (n % 3 == 0) index.remove(key);
          if (n % 3 == 1) index.upsert(key, Counted(alive, static_cast<int>(n)));
          if (n % 3 == 2) index.insert(key, Counted(alive, static_cast<int>(n)));
          if (n % 1000 == 999 && t == 0) index.clear();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(static_cast<std::size_t>(alive.load()), index.len());
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

}  // namespace scree::test
