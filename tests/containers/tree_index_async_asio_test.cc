// SPDX-License-Identifier: Apache-2.0
//
// Thousands of coroutines that write in a few leaves of one TreeIndex, on a thread pool of Asio's, beside threads.

#include "asio_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <scree/ebr.h>
#include <scree/tree_index.h>

#include "jitter.h"
#include "reclaim.h"
#include "support/coroutine.h"
#include "support/tree_walk.h"
#include "tree_index_async.h"

namespace scree::test {
namespace {

#if SCREE_UNDER_TSAN
constexpr int kCoroutines = 500;
#else
constexpr int kCoroutines = 4'000;
#endif
constexpr int kRounds = 20;
constexpr std::size_t kThreads = 4;

// What all have reported of each key: how often it came in, less how often it went out.
struct Ledger {
  explicit Ledger(std::size_t keys) : balance(keys) {}

  void expect(const Numbers& index) {
    std::size_t present = 0;
    for (std::uint64_t key = 0; key < balance.size(); ++key) {
      EXPECT_EQ(balance[key], index.contains(key) ? 1 : 0) << key;
      present += balance[key] == 1;
    }
    EXPECT_EQ(index.len(), present);
    EXPECT_TRUE(size_is_exact(index));
  }

  std::vector<std::atomic<int>> balance;
  std::atomic<int> done{0};
};

Coroutine churn(Numbers& index, Ledger& ledger, PoolHook& hook, std::uint64_t seed) {
  co_await Schedule{hook};
  std::uint64_t random = seed;
  for (int n = 0; n < kRounds; ++n) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    const std::uint64_t key = (random >> 33) % ledger.balance.size();
    switch ((random >> 24) % 8) {
      case 0:
      case 1: {
        const bool fresh = co_await index.insert_async(key, std::int64_t{1});
        ledger.balance[key] += fresh;
        break;
      }
      case 2: {
        const bool replaced = co_await index.upsert_async(key, std::int64_t{2});
        ledger.balance[key] += !replaced;
        break;
      }
      case 3: {
        const bool removed = co_await index.remove_async(key);
        ledger.balance[key] -= removed;
        break;
      }
      case 4: {
        const bool removed = co_await index.remove_if_async(key, [](std::int64_t value) { return value != 0; });
        ledger.balance[key] -= removed;
        break;
      }
      case 5:
        co_await index.update_async(key, [](std::int64_t value) { return value + 1; });
        break;
      case 6:
        co_await index.pop_first_async([&ledger](std::uint64_t popped, std::int64_t) { --ledger.balance[popped]; });
        break;
      default:
        co_await index.pop_last_async([&ledger](std::uint64_t popped, std::int64_t) { --ledger.balance[popped]; });
        break;
    }
    EXPECT_TRUE(is_outside());
  }
  ++ledger.done;
}

void churn_by_a_thread(Numbers& index, Ledger& ledger, std::uint64_t seed, int rounds) {
  std::mt19937_64 random(seed);
  for (int n = 0; n < rounds; ++n) {
    const std::uint64_t key = random() % ledger.balance.size();
    if (random() % 2 == 0) {
      ledger.balance[key] += index.insert(key, std::int64_t{1});
    } else {
      ledger.balance[key] -= index.remove(key);
    }
  }
}

TEST(TreeIndexAsyncAsio, thousands_of_coroutines_on_a_pool_change_a_few_leaves_beside_threads) {
  const Jitter jitter;
  for (const std::size_t keys : {12, 200, 3000}) {
    Numbers index;
    Ledger ledger(keys);
    std::vector<Coroutine> coroutines;
    asio::thread_pool pool(kThreads);
    PoolHook hook(pool);
    for (int n = 0; n < kCoroutines; ++n) {
      coroutines.push_back(churn(index, ledger, hook, static_cast<std::uint64_t>(n)));
    }
    churn_by_a_thread(index, ledger, keys, kCoroutines * 4);
    pool.join();
    EXPECT_EQ(ledger.done, kCoroutines);
    ledger.expect(index);
    RecordProperty("waits_of_" + std::to_string(keys), hook.waits);
  }
  EXPECT_TRUE(reclaim_all());
}

// Each key is inserted once, in order, by one of many: all at the same end of the tree, where each leaf is split.
TEST(TreeIndexAsyncAsio, ascending_inserts_by_many_coroutines_lose_nothing) {
  const Jitter jitter;
  Numbers index;
  std::atomic<std::uint64_t> next{0};
  std::vector<Coroutine> coroutines;
  asio::thread_pool pool(kThreads);
  PoolHook hook(pool);
  for (int n = 0; n < kCoroutines; ++n) {
    coroutines.push_back([](Numbers& into, std::atomic<std::uint64_t>& of, PoolHook& by) -> Coroutine {
      co_await Schedule{by};
      for (int round = 0; round < kRounds; ++round) {
        const bool fresh = co_await into.insert_async(of++, std::int64_t{0});
        EXPECT_TRUE(fresh);
      }
    }(index, next, hook));
  }
  pool.join();
  EXPECT_EQ(index.len(), static_cast<std::size_t>(kCoroutines) * kRounds);
  EXPECT_TRUE(size_is_exact(index));
}

#if SCREE_SYNC_POINTS
// They wait for one thread. Some are destroyed, by several threads, while that goes on and lets all on.
TEST(TreeIndexAsyncAsio, coroutines_are_destroyed_while_others_go_on) {
  for (const Stop& stop : kStops) {
    Numbers index;
    fill(index, stop.entries);
    asio::thread_pool pool(kThreads);
    PoolHook hook(pool);
    std::vector<Coroutine> staying;
    std::vector<Guarded> leaving(stop.end - stop.first);
    Ledger ledger(stop.end * 10);
    WaitingThread writer([&](auto pause) {
      const StopAt at(stop.point, pause);
      stop.run(index);
    });
    ASSERT_TRUE(writer.is_paused());
    const auto insert = [](Numbers& into, std::uint64_t key, Ledger& reports) -> Coroutine {
      const bool fresh = co_await into.insert_async(key, std::int64_t{1});
      reports.balance[key] += fresh;
      ++reports.done;
    };
    for (std::uint64_t n = stop.first; n < stop.end; ++n) {
      leaving[n - stop.first].begin([&] { return insert(index, n * 10 + 2, ledger); });
      const ResumeScope scope(hook);
      staying.push_back(insert(index, n * 10 + 2, ledger));
      staying.push_back(insert(index, n * 10 + 4, ledger));
    }
    EXPECT_LT(ledger.done, static_cast<int>(leaving.size() * 3));
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = t; i < leaving.size(); i += kThreads) leaving[i].destroy();
      });
    }
    writer.finish();
    for (std::thread& thread : threads) thread.join();
    pool.join();
    for (const Coroutine& coroutine : staying) EXPECT_TRUE(coroutine.is_done());
    for (std::uint64_t at = stop.first; at < stop.end; ++at) {
      EXPECT_EQ(ledger.balance[at * 10 + 2], index.contains(at * 10 + 2) ? 1 : 0);
      EXPECT_EQ(ledger.balance[at * 10 + 4], index.contains(at * 10 + 4) ? 1 : 0);
    }
    EXPECT_TRUE(size_is_exact(index));
  }
  EXPECT_TRUE(reclaim_all());
}
#endif

}  // namespace
}  // namespace scree::test
