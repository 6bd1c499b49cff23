// SPDX-License-Identifier: Apache-2.0
//
// HashCache: its bound, what it evicts, and who is told.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <scree/hash_cache.h>

#include "support/start_line.h"

namespace scree::test {
namespace {

using Numbers = HashCache<std::uint64_t, std::uint64_t>;

struct OneHash {
  std::size_t operator()(std::uint64_t) const noexcept { return 1; }
};

TEST(HashCache, inserts_reads_updates_and_removes) {
  HashCache<std::string, std::string> cache;
  EXPECT_TRUE(cache.insert("a", "1").inserted);
  std::string kept(100, 'x');
  EXPECT_FALSE(cache.insert("a", std::move(kept)).inserted);
  EXPECT_EQ(kept, std::string(100, 'x'));
  EXPECT_EQ(cache.read("a", [](auto, const std::string& value) { return value; }), "1");
  EXPECT_FALSE(cache.upsert("a", "2").inserted);
  EXPECT_TRUE(cache.upsert("b", "3").inserted);
  EXPECT_TRUE(cache.update("a", [](std::string& value) { value += "!"; }));
  EXPECT_EQ(cache.get("a").value(), "2!");
  EXPECT_FALSE(cache.get("c"));
  EXPECT_TRUE(cache.contains("b"));
  EXPECT_EQ(cache.remove("b"), std::pair(std::string("b"), std::string("3")));
  EXPECT_EQ(cache.len(), 1u);
  EXPECT_EQ(cache.clear(), 1u);
  EXPECT_TRUE(cache.is_empty());
}

TEST(HashCache, never_has_more_entries_than_its_bound_and_returns_what_it_evicts) {
  std::map<std::uint64_t, std::uint64_t> told;
  Numbers cache(0, 1000, [&](std::uint64_t key, const std::uint64_t& value) { told.emplace(key, value); });
  EXPECT_GE(cache.max_capacity(), 1000u);
  EXPECT_LT(cache.max_capacity(), 2048u);
  std::map<std::uint64_t, std::uint64_t> returned;
  for (std::uint64_t n = 0; n < 20'000; ++n) {
    Numbers::Put put = cache.insert(n, 2 * n);
    EXPECT_TRUE(put.inserted);
    if (put.evicted) returned.insert(*put.evicted);
    ASSERT_LE(cache.len(), cache.max_capacity());
  }
  EXPECT_EQ(returned, told);
  EXPECT_EQ(cache.len() + told.size(), 20'000u);
  EXPECT_GT(cache.len(), cache.max_capacity() / 2) << "it fills";
  for (const auto& [key, value] : told) {
    EXPECT_EQ(value, 2 * key);
    ASSERT_FALSE(cache.contains(key));
  }
}

TEST(HashCache, grows_before_it_evicts_much) {
  Numbers cache(16, 4096);
  EXPECT_EQ(cache.min_capacity(), cache.capacity());
  std::size_t evicted = 0;
  for (std::uint64_t n = 0; n < 1024; ++n) evicted += cache.insert(n, n).evicted ? 1 : 0;
#if SCREE_SMALL_CAPACITIES
  EXPECT_LT(evicted, 512u) << "buckets have two slots";
#else
  EXPECT_LT(evicted, 1024u / 20);
#endif
  EXPECT_GT(cache.capacity(), 1024u);
}

TEST(HashCache, gives_room_back_down_to_its_least_capacity) {
  Numbers cache(30, 4000);
  const std::size_t least = cache.capacity();
  EXPECT_GE(least, 30u);
  for (std::uint64_t n = 0; n < 4000; ++n) cache.insert(n, n);
  EXPECT_GT(cache.capacity(), least);
  cache.clear();
  for (std::uint64_t n = 0; n < 4000; ++n) {  // whatever is left of a move to a smaller table
    cache.insert(n % 4, n);
    cache.remove(n % 4);
  }
  EXPECT_GE(cache.capacity(), least);
  EXPECT_LE(cache.capacity(), 8 * least);
}

// In one bucket: what is used again and again stays, whatever comes.
TEST(HashCache, evicts_what_was_not_used_for_long) {
  for (const int use : {0, 1, 2, 3}) {
    HashCache<std::uint64_t, std::uint64_t, OneHash> cache(0, 1);
    const std::uint64_t slots = cache.max_capacity();
    cache.insert(0u, 7u);
    for (std::uint64_t n = 1; n < 100 * slots; ++n) {
      switch (use) {
        case 0:
          EXPECT_TRUE(cache.read(0u, [](auto, const std::uint64_t&) {}));
          break;
        case 1:
          EXPECT_TRUE(cache.update(0u, [](std::uint64_t&) {}));
          break;
        case 2:
          EXPECT_TRUE(cache.get(0u));
          break;
        default:
          EXPECT_FALSE(cache.upsert(0u, 7u).inserted);
      }
      cache.insert(n, n);
      ASSERT_TRUE(cache.contains(0u)) << use << " " << n;
      ASSERT_TRUE(cache.contains(n)) << "the newest is not the next to go";
    }
  }
}

// It is not used by being looked for: then it goes within as many as there are slots.
TEST(HashCache, looking_whether_a_key_is_there_does_not_keep_it) {
  HashCache<std::uint64_t, std::uint64_t, OneHash> cache(0, 1);
  cache.insert(0u, 0u);
  std::uint64_t n = 1;
  while (cache.contains(0u) && n < 1000) {
    cache.insert(n, n);
    ++n;
  }
  EXPECT_EQ(n, cache.max_capacity() + 1);
}

TEST(HashCache, evicts_one_by_one_in_the_order_of_insertion_where_nothing_is_used) {
  HashCache<std::uint64_t, std::uint64_t, OneHash> cache(0, 1);
  const std::uint64_t slots = cache.max_capacity();
  std::map<std::uint64_t, std::uint64_t> present;
  for (std::uint64_t n = 0; n < 10 * slots; ++n) {
    const Numbers::Put put{true, cache.insert(n, n).evicted};
    present.emplace(n, n);
    ASSERT_EQ(put.evicted.has_value(), n >= slots);
    if (put.evicted) {
      ASSERT_EQ(present.erase(put.evicted->first), 1u) << "it was there";
    }
  }
  EXPECT_EQ(cache.len(), slots);
  for (const auto& [key, value] : present) EXPECT_TRUE(cache.contains(key));
}

TEST(HashCache, a_listener_may_use_the_cache) {
  Numbers* self = nullptr;
  std::size_t told = 0;
  Numbers cache(0, 64, [&](std::uint64_t key, const std::uint64_t&) {
    ++told;
    EXPECT_FALSE(self->contains(key));
    self->remove(key + 1);
  });
  self = &cache;
  for (std::uint64_t n = 0; n < 1'000; ++n) cache.insert(n, n);
  EXPECT_GT(told, 0u);
  EXPECT_LE(cache.len(), cache.max_capacity());
}

TEST(HashCache, a_walk_meets_every_entry_once) {
  Numbers cache(0, 1024);
  for (std::uint64_t n = 0; n < 3'000; ++n) cache.insert(n, n);
  std::map<std::uint64_t, int> met;
  cache.for_each([&](std::uint64_t key, std::uint64_t& value) {
    ++met[key];
    value = 1;
  });
  EXPECT_EQ(met.size(), cache.len());
  std::uint64_t sum = 0;
  cache.scan([&](std::uint64_t, const std::uint64_t& value) { sum += value; });
  EXPECT_EQ(sum, cache.len());
  const auto [kept, removed] = cache.retain([](std::uint64_t key, std::uint64_t&) { return key % 2 == 0; });
  EXPECT_EQ(kept, cache.len());
  EXPECT_EQ(kept + removed, met.size());
}

TEST(HashCache, takes_values_that_only_move_and_frees_what_it_evicts) {
  auto alive = std::make_shared<int>(0);
  {
    HashCache<std::string, std::unique_ptr<std::shared_ptr<int>>> cache(0, 64);
    for (int n = 0; n < 1'000; ++n) {
      cache.insert(std::to_string(n), std::make_unique<std::shared_ptr<int>>(alive));
      ASSERT_EQ(static_cast<std::size_t>(alive.use_count()), cache.len() + 1);
    }
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(HashCache, refuses_capacities_that_cannot_be) {
  EXPECT_THROW(Numbers(0, ~std::size_t{0}), std::length_error);
  EXPECT_THROW(Numbers(~std::size_t{0}, 10), std::length_error);
  Numbers cache(100, 10);
  EXPECT_GE(cache.max_capacity(), 100u) << "the least is within the bound";
}

TEST(HashCache, threads_that_insert_and_read_stay_within_the_bound) {
  constexpr std::size_t kThreads = 4;
  constexpr std::uint64_t kEach = 20'000;
  Atomic<std::size_t> told{0}, returned{0};
  Numbers cache(0, 512, [&](std::uint64_t, const std::uint64_t&) { ++told; });
  StartLine start(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      start.wait();
      for (std::uint64_t n = 0; n < kEach; ++n) {
        const std::uint64_t key = n * kThreads + t;
        if (cache.insert(key, key).evicted) ++returned;
        cache.read(key - 7, [&](std::uint64_t k, const std::uint64_t& value) { EXPECT_EQ(k, value); });
        EXPECT_LE(cache.len(), cache.max_capacity() + kThreads) << "counted beside others";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(told, returned);
  EXPECT_EQ(cache.len() + told, kThreads * kEach);
  EXPECT_LE(cache.len(), cache.max_capacity());
}

}  // namespace
}  // namespace scree::test
