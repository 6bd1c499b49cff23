// SPDX-License-Identifier: Apache-2.0
//
// Thousands of coroutines that write to a few buckets of one hash container, on a thread pool of Asio's, beside
// threads.

#include "asio_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "awaiting.h"
#include "hash_async.h"
#include "jitter.h"
#include "reclaim.h"
#include "support/coroutine.h"
#include "waiting_thread.h"

namespace scree::test {
namespace {

#if SCREE_UNDER_TSAN
constexpr int kCoroutines = 400;
#else
constexpr int kCoroutines = 2'000;
#endif
constexpr int kRounds = 8;
constexpr std::size_t kThreads = 4;
constexpr std::uint64_t kFewKeys[] = {1, 12, 300};

// Of all coroutines and threads.
struct Ledger {
  explicit Ledger(std::uint64_t count) : keys(count), balance(count), increments(count) {}

  const std::uint64_t keys;
  std::vector<std::atomic<int>> balance;     // how often a key came in, less how often it went out
  std::vector<std::atomic<int>> increments;  // of counters
  std::atomic<int> done{0};
};

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t below(std::uint64_t end) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % end;
  }

 private:
  std::uint64_t state_;
};

// A value beside others in a slot, and one out of line.
struct Plainly : Numbers {
  static std::int64_t in(std::int64_t value) { return value; }
  static void add_one(std::int64_t& value) { ++value; }
};
struct Aside : Lists {
  static std::int64_t in(const std::string& value) { return static_cast<std::int64_t>(HashInOrder::number_in(value)); }
  static void add_one(std::string& value) { value = Lists::value(in(value) + 1); }
};

struct HashOfNumber {
  using is_transparent = void;
  std::size_t operator()(std::uint64_t n) const noexcept { return n; }
  std::size_t operator()(const std::vector<std::uint64_t>& key) const noexcept { return key[0]; }
};
template <Kind kOf, class Config>
using Spread = Face<kOf, Config, HashOfNumber>;

// Counters below `keys`, which are never removed, and keys above that come and go.
template <class Face>
struct Hot {
  using Config = typename Face::Config;
  using Container = typename Face::Container;
  using Value = typename Face::Value;

  static Coroutine churn(Container& container, Ledger& ledger, PoolHook& hook, std::uint64_t seed) {
    co_await Schedule{hook};
    Random random(seed);
    for (int n = 0; n < kRounds; ++n) {
      const std::uint64_t number = random.below(ledger.keys);
      const auto counter = Config::key(number);
      auto key = Config::key(number + ledger.keys);
      auto value = Config::value(0);
      switch (random.below(8)) {
        case 0:
        case 1: {
          const bool fresh = co_await Face::insert_async(container, key, value);
          ledger.balance[number] += fresh;
          break;
        }
        case 2: {
          const auto removed = co_await container.remove_async(key);
          ledger.balance[number] -= static_cast<bool>(removed);
          break;
        }
        case 3: {
          const auto removed = co_await container.remove_if_async(key, [n](const auto&...) { return n % 2 == 0; });
          ledger.balance[number] -= static_cast<bool>(removed);
          break;
        }
        case 4:
          if constexpr (Face::kKind != Kind::kSet) {
            auto entry = co_await container.entry_async(counter);
            EXPECT_TRUE(entry.is_occupied());
            if (n % 2 == 0) co_await Schedule{hook};
            add_one(entry);
            ++ledger.increments[number];
          }
          break;
        case 5:
          if constexpr (Face::kKind == Kind::kMap) {
            co_await container.upsert_async(
                counter, [] { return Config::value(-1); }, [](Value& at) { Config::add_one(at); });
            ++ledger.increments[number];
          } else if constexpr (Face::kKind == Kind::kSet) {
            const auto replaced = co_await container.replace_async(Config::key(number));
            EXPECT_TRUE(replaced.has_value());
          }
          break;
        default: {
          if constexpr (Face::kKind != Kind::kSet) {
            const auto updated = co_await update(container, counter);
            EXPECT_TRUE(static_cast<bool>(updated));
            ++ledger.increments[number];
          } else {
            const bool found = co_await container.contains_async(counter);
            EXPECT_TRUE(found);
          }
          break;
        }
      }
      EXPECT_TRUE(is_outside());
    }
    ++ledger.done;
  }
  // Once through all of it.
  static Coroutine walk(Container& container, Ledger& ledger, PoolHook& hook) {
    co_await Schedule{hook};
    std::uint64_t met = 0;
    const auto is_kept = [&met, &ledger](const auto& key, const auto&...) {
      met += Config::number(key) < ledger.keys;
      return true;
    };
    co_await container.retain_async(is_kept);
    EXPECT_EQ(met, ledger.keys);
    ++ledger.done;
  }
  static void expect(const Container& container, const Ledger& ledger) {
    EXPECT_EQ(ledger.done, kCoroutines);
    const auto contents = Face::contents(container);
    std::size_t present = 0;
    for (std::uint64_t n = 0; n < ledger.keys; ++n) {
      ASSERT_TRUE(contents.contains(n));
      if constexpr (Face::kKind != Kind::kSet) {
        EXPECT_EQ(Config::in(contents.at(n)), ledger.increments[n]) << n;
      }
      EXPECT_EQ(ledger.balance[n], contents.contains(n + ledger.keys) ? 1 : 0) << n;
      present += contents.contains(n + ledger.keys);
    }
    EXPECT_EQ(container.len(), ledger.keys + present);
  }
  static void fill(Container& container, const Ledger& ledger) {
    for (std::uint64_t n = 0; n < ledger.keys; ++n) {
      if constexpr (Face::kKind == Kind::kSet) {
        container.insert(Config::key(n));
      } else {
        container.insert(Config::key(n), Config::value(0));
      }
    }
  }

 private:
  static auto update(Container& container, const typename Face::Key& key) {
    if constexpr (Face::kKind == Kind::kIndex) {
      return container.update_async(key, [](Value value) { return Config::add_one(value), value; });
    } else {
      return container.update_async(key, [](Value& value) { Config::add_one(value); });
    }
  }
  static void add_one(auto& entry) {
    if constexpr (Face::kKind == Kind::kIndex) {
      Value value = entry.value();
      Config::add_one(value);
      entry.replace(std::move(value));
    } else {
      Config::add_one(entry.value());
    }
  }
};

template <class Face>
class HashAsyncAsio : public testing::Test {};
using Faces = testing::Types<Spread<Kind::kIndex, Plainly>, Spread<Kind::kIndex, Aside>, Spread<Kind::kMap, Plainly>,
                             Spread<Kind::kMap, Aside>, Spread<Kind::kSet, Plainly>>;
TYPED_TEST_SUITE(HashAsyncAsio, Faces);

TYPED_TEST(HashAsyncAsio, thousands_of_coroutines_on_a_pool_change_a_few_buckets_beside_threads) {
  const Jitter jitter;
  for (const std::uint64_t keys : kFewKeys) {
    typename TypeParam::Container container;
    Ledger ledger(keys);
    Hot<TypeParam>::fill(container, ledger);
    std::vector<Coroutine> coroutines;
    asio::thread_pool pool(kThreads);
    PoolHook hook(pool);
    for (int n = 0; n < kCoroutines; ++n) {
      coroutines.push_back(n % 50 == 49
                               ? Hot<TypeParam>::walk(container, ledger, hook)
                               : Hot<TypeParam>::churn(container, ledger, hook, static_cast<std::uint64_t>(n)));
    }
    Random random(keys);
    for (int n = 0; n < kCoroutines * 2; ++n) {
      const std::uint64_t number = random.below(keys);
      if (random.below(2) == 0) {
        ledger.balance[number] += TypeParam::insert(container, number + keys);
      } else {
        ledger.balance[number] -= static_cast<bool>(container.remove(TypeParam::Config::key(number + keys)));
      }
    }
    pool.join();
    Hot<TypeParam>::expect(container, ledger);
    this->RecordProperty("waits_of_" + std::to_string(keys), hook.waits);
  }
  EXPECT_TRUE(reclaim_all());
}

// The table grows all the time: each key is inserted by one of them.
TYPED_TEST(HashAsyncAsio, inserts_by_many_coroutines_lose_nothing) {
  const Jitter jitter;
  typename TypeParam::Container container;
  std::atomic<std::uint64_t> next{0};
  std::vector<Coroutine> coroutines;
  asio::thread_pool pool(kThreads);
  PoolHook hook(pool);
  const auto insert = [](typename TypeParam::Container& into, std::atomic<std::uint64_t>& of,
                         PoolHook& by) -> Coroutine {
    co_await Schedule{by};
    for (int round = 0; round < kRounds; ++round) {
      int result = -1;
      auto key = TypeParam::Config::key(of++);
      auto value = TypeParam::Config::value(0);
      result = co_await TypeParam::insert_async(into, key, value);
      EXPECT_EQ(result, 1);
    }
  };
  for (int n = 0; n < kCoroutines; ++n) coroutines.push_back(insert(container, next, hook));
  pool.join();
  EXPECT_EQ(container.len(), static_cast<std::size_t>(kCoroutines) * kRounds);
  for (std::uint64_t n = 0; n < next; ++n) EXPECT_TRUE(TypeParam::contains(container, n));
}

template <class Face>
class HashAsyncAsioLeaving : public testing::Test {};
using OneOfEach = testing::Types<IndexOf<Lists>, MapOf<Lists>, SetOf<Numbers>>;
TYPED_TEST_SUITE(HashAsyncAsioLeaving, OneOfEach);

// They wait for one thread. Some are destroyed, by several threads, while that goes on and lets all on.
TYPED_TEST(HashAsyncAsioLeaving, coroutines_are_destroyed_while_others_go_on) {
  constexpr std::size_t kLeaving = 200;
  for (int round = 0; round < 10; ++round) {
    typename TypeParam::Container container;
    fill<TypeParam>(container);
    asio::thread_pool pool(kThreads);
    PoolHook hook(pool);
    std::vector<Coroutine> staying;
    std::vector<Guarded> leaving(kLeaving);
    std::vector<int> results(3 * kLeaving, -1);
    WaitingThread holder(holding<TypeParam>(container, nth(0)));
    ASSERT_TRUE(holder.is_paused());
    // Two want to insert each key.
    for (std::size_t n = 0; n < kLeaving; ++n) {
      leaving[n].begin([&] { return insert_one<TypeParam>(container, absent_beside(0) + 2 * n, results[3 * n]); });
      const ResumeScope scope(hook);
      staying.push_back(insert_one<TypeParam>(container, absent_beside(0) + 2 * n, results[3 * n + 1]));
      staying.push_back(insert_one<TypeParam>(container, absent_beside(0) + 2 * n + 1, results[3 * n + 2]));
    }
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = t; i < kLeaving; i += kThreads) leaving[i].destroy();
      });
    }
    holder.finish();
    for (std::thread& thread : threads) thread.join();
    pool.join();
    for (const Coroutine& coroutine : staying) EXPECT_TRUE(coroutine.is_done());
    for (std::size_t n = 0; n < kLeaving; ++n) {
      EXPECT_TRUE(TypeParam::contains(container, absent_beside(0) + 2 * n));
      EXPECT_EQ(results[3 * n] + results[3 * n + 1], results[3 * n] == -1 ? 0 : 1) << "one of them inserted it";
      EXPECT_EQ(results[3 * n + 2], 1);
    }
    EXPECT_EQ(container.len(), kKeys + 2 * kLeaving);
  }
  EXPECT_TRUE(reclaim_all());
}

}  // namespace
}  // namespace scree::test
