// SPDX-License-Identifier: Apache-2.0
//
// Removal of ranges of a TreeIndex: beside std::map between bounds of every kind, and beside writers and walks.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <scree/tree_index.h>

#include "index_concurrency.h"
#include "index_configs.h"
#include "index_steps.h"
#include "jitter.h"
#include "reclaim.h"
#include "support/iteration_check.h"
#include "support/start_line.h"
#include "support/tree_walk.h"

namespace scree::test {
namespace {

constexpr BoundKind kKinds[] = {BoundKind::kUnbounded, BoundKind::kIncluded, BoundKind::kExcluded};

template <class Config>
class TreeIndexRemoveRange : public testing::Test {
 public:
  using Key = typename Config::Key;
  using Index = TreeIndex<Key, typename Config::Value>;

  static std::size_t remove(Model<Config>& model, const Bound<Key>& lower, const Bound<Key>& upper) {
    return std::erase_if(model, [&](const auto& entry) {
      const Key& key = entry.first;
      return (lower.kind == BoundKind::kUnbounded || lower.key < key ||
              (lower.kind == BoundKind::kIncluded && lower.key == key)) &&
             (upper.kind == BoundKind::kUnbounded || key < upper.key ||
              (upper.kind == BoundKind::kIncluded && upper.key == key));
    });
  }
  static void expect_same(const Index& index, const Model<Config>& model) {
    const auto seen = entries_of<Config>(index);
    EXPECT_TRUE(std::equal(seen.begin(), seen.end(), model.begin(), model.end(),
                           [](const auto& a, const auto& b) { return a.first == b.first && a.second == b.second; }));
    EXPECT_TRUE(size_is_exact(index));
  }
};

using Configs = testing::Types<Integers, IntegersToStrings, Strings, Vectors>;
TYPED_TEST_SUITE(TreeIndexRemoveRange, Configs);

// Empty ranges, and those that are the wrong way round, come by.
TYPED_TEST(TreeIndexRemoveRange, agrees_with_a_map) {
  using Config = TypeParam;
  std::mt19937_64 random(1);
  for (const std::uint64_t keys : {3, 40, 300, 3000, 12'000}) {
    typename TestFixture::Index index;
    Model<Config> model;
    for (int round = 0; round < 30; ++round) {
      for (std::uint64_t n = 0; n < keys / 2; ++n) {
        const auto key = Config::key(random() % keys);
        index.upsert(key, Config::value(n));
        model.insert_or_assign(key, Config::value(n));
      }
      const std::uint64_t low = random() % keys, length = random() % (keys / (1 + random() % 8) + 1);
      const Bound lower{kKinds[random() % 8 == 0 ? 0 : 1 + random() % 2], Config::key(low)};
      const Bound upper{kKinds[random() % 8 == 0 ? 0 : 1 + random() % 2],
                        Config::key(random() % 16 == 0 ? low / 2 : low + length)};
      EXPECT_EQ(index.remove_range(lower, upper), TestFixture::remove(model, lower, upper));
      TestFixture::expect_same(index, model);
    }
  }
}

TYPED_TEST(TreeIndexRemoveRange, of_everything_leaves_an_empty_tree) {
  using Config = TypeParam;
  for (const std::uint64_t keys : {1, 5, 100, 10'000}) {
    typename TestFixture::Index index;
    const std::size_t empty = index.memory_usage();
    for (std::uint64_t n = 0; n < keys; ++n) index.insert(Config::key(n * 7919 % keys), Config::value(n));
    EXPECT_EQ(index.remove_range(unbounded, unbounded), keys);
    EXPECT_TRUE(index.is_empty());
    EXPECT_EQ(index.depth(), 2u);
    EXPECT_LE(index.memory_usage(), empty + 256);
    TestFixture::expect_same(index, {});
    EXPECT_EQ(index.remove_range(unbounded, unbounded), 0u);
    EXPECT_TRUE(index.insert(Config::key(1), Config::value(1)));
  }
}

TEST(TreeIndexRemoveRangeEntries, takes_bounds_of_other_types) {
  TreeIndex<std::string, int> index;
  for (const char* key : {"a", "b", "c", "d"}) index.insert(key, 0);
  EXPECT_EQ(index.remove_range(included("b"), excluded("d")), 2u);
  EXPECT_EQ(index.remove_range(excluded(std::string("a")), unbounded), 1u);
  EXPECT_EQ(index.len(), 1u);
}

TEST(TreeIndexRemoveRangeEntries, leaves_readers_what_they_hold) {
  Atomic<int> alive{0};
  {
    TreeIndex<std::string, Counted> index;
    for (int n = 0; n < 1000; ++n) index.insert(std::to_string(1000 + n), Counted(alive, n));
    {
      const ebr::Barrier barrier;
      std::vector<const Counted*> held;
      for (int n = 0; n < 1000; ++n) held.push_back(index.peek(std::to_string(1000 + n), barrier));
      EXPECT_EQ(index.remove_range(included("1100"), included("1899")), 800u);
      reclaim_all(100);
      for (int n = 0; n < 1000; ++n) EXPECT_EQ(held[n]->value(), n);
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, 200);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

// The outer keys stay; those between are inserted and removed, one by one and in ranges, beside walks of everything.
template <class K, class V>
void check_beside_writers(std::uint64_t keys) {
  TreeIndex<K, V> index;
  IterationPromise promise{.present = {}, .changing = {}, .order = Order::kAscending};
  const std::uint64_t low = keys / 4, high = 3 * keys / 4;
  for (std::uint64_t n = 0; n < keys; ++n) {
    (n < low || n >= high ? promise.present : promise.changing).insert(n);
    index.insert(numbered_key<K>(n), V(static_cast<std::int64_t>(n)));
  }
  constexpr std::size_t kWriters = 3;
  Atomic<std::size_t> writing{kWriters};
  Atomic<std::uint64_t> inserted{keys}, removed{0};
  StartLine start(kWriters + 1);
  std::vector<std::thread> writers;
  for (std::size_t w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      std::mt19937_64 random(w);
      start.wait();
      for (std::uint64_t n = 0; n < keys; ++n) {
        const std::uint64_t key = low + random() % (high - low);
        const std::uint64_t end = std::min(key + random() % (keys / 8 + 1), high);
        if (w == 0 && n % 16 == 0) {
          removed += index.remove_range(included(numbered_key<K>(key)), excluded(numbered_key<K>(end)));
        } else if (random() % 8 == 0) {
          removed += index.remove(numbered_key<K>(key)) ? 1 : 0;
        } else {
          for (std::uint64_t i = key; i < std::min(key + 4, high); ++i) {
            inserted += index.insert(numbered_key<K>(i), V(static_cast<std::int64_t>(i))) ? 1 : 0;
          }
        }
      }
      --writing;
    });
  }
  start.wait();
  for (bool last = false; !last;) {
    last = writing == 0;
    const ebr::Barrier barrier;
    const auto violation = promise.violation(numbers_in<V>(index.iter(barrier)));
    EXPECT_EQ(violation, std::nullopt);
    last = last || violation.has_value();
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(index.len(), inserted - removed);
  EXPECT_TRUE(size_is_exact(index));
}

TEST(TreeIndexRemoveRangeConcurrency, loses_nothing_beside_writers_and_walks) {
  const Jitter jitter;
  check_beside_writers<std::uint64_t, std::int64_t>(2000);
  check_beside_writers<std::uint64_t, Cell>(400);
  check_beside_writers<std::string, Cell>(2000);
}

TEST(TreeIndexRemoveRangeConcurrency, removes_each_entry_once) {
  const Jitter jitter;
  constexpr std::uint64_t kKeys = 3000;
  for (int round = 0; round < 10; ++round) {
    TreeIndex<std::string, Cell> index;
    for (std::uint64_t n = 0; n < kKeys; ++n) index.insert(numbered_key<std::string>(n), Cell(0));
    Atomic<std::uint64_t> removed{0};
    StartLine start(3);
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        start.wait();
        removed += index.remove_range(included(numbered_key<std::string>(t * 100)), unbounded);
        if (t == 0) removed += index.remove_range(unbounded, unbounded);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(removed, kKeys);
    EXPECT_TRUE(index.is_empty());
    EXPECT_TRUE(size_is_exact(index));
  }
  EXPECT_TRUE(reclaim_all());
}

}  // namespace
}  // namespace scree::test
