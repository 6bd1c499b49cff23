// SPDX-License-Identifier: Apache-2.0
//
// TreeIndex by example: neighbours of a key, the ends of the order, walks downwards, and scans that renew their
// barrier.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <scree/tree_index.h>

#include "index_configs.h"
#include "reclaim.h"

namespace scree::test {
namespace {

using Numbers = std::vector<std::uint64_t>;

template <class Reference>
std::optional<std::uint64_t> key_of(const std::optional<Reference>& entry) {
  return entry ? std::optional<std::uint64_t>(entry->first) : std::nullopt;
}

TEST(TreeIndexOrder, neighbours_of_every_key_are_right_in_trees_of_many_sizes) {
  for (const std::uint64_t keys : {0, 1, 2, 5, 14, 15, 16, 60, 500}) {
    TreeIndex<std::uint64_t, std::uint64_t> index;
    std::map<std::uint64_t, std::uint64_t> map;
    for (std::uint64_t n = 0; n < keys; ++n) {
      const std::uint64_t key = n * 7919 % keys * 2 + 1;
      index.insert(key, n), map.emplace(key, n);
    }
    const ebr::Barrier barrier;
    const auto key_at = [&](auto it) { return it == map.end() ? std::nullopt : std::optional(it->first); };
    const auto before = [&](auto it) { return it == map.begin() ? map.end() : std::prev(it); };
    for (std::uint64_t key = 0; key <= 2 * keys + 1; ++key) {
      ASSERT_EQ(key_of(index.lower_bound(key, barrier)), key_at(map.lower_bound(key))) << key << " of " << keys;
      ASSERT_EQ(key_of(index.upper_bound(key, barrier)), key_at(map.upper_bound(key))) << key << " of " << keys;
      ASSERT_EQ(key_of(index.floor(key, barrier)), key_at(before(map.upper_bound(key)))) << key << " of " << keys;
      ASSERT_EQ(key_of(index.below(key, barrier)), key_at(before(map.lower_bound(key)))) << key << " of " << keys;
    }
    EXPECT_EQ(key_of(index.first(barrier)), key_at(map.begin()));
    EXPECT_EQ(key_of(index.last(barrier)), key_at(before(map.end())));
  }
}

TEST(TreeIndexOrder, neighbours_come_with_their_values_and_stay) {
  TreeIndex<std::string, Counted> index;
  Atomic<int> alive{0};
  for (int n = 10; n < 90; ++n) index.insert(std::to_string(n), Counted(alive, n));
  {
    const ebr::Barrier barrier;
    const auto found = {index.lower_bound("50", barrier),
                        index.upper_bound("50", barrier),
                        index.floor("50x", barrier),
                        index.below("50", barrier),
                        index.first(barrier),
                        index.last(barrier)};
    for (int n = 10; n < 90; ++n) index.remove(std::to_string(n));
    reclaim_all(100);
    std::vector<int> values;
    for (const auto& entry : found) {
      ASSERT_TRUE(entry.has_value());
      EXPECT_EQ(entry->first, std::to_string(entry->second.value()));
      values.push_back(entry->second.value());
    }
    EXPECT_EQ(values, (std::vector{50, 51, 50, 49, 10, 89}));
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(TreeIndexOrder, the_nearest_is_at_the_smallest_distance_and_the_lower_one_of_two) {
  TreeIndex<std::uint64_t, int> index;
  const ebr::Barrier barrier;
  EXPECT_EQ(key_of(index.nearest(5, barrier)), std::nullopt);
  index.insert(10, 0);
  for (const std::uint64_t key : {0, 10, 99}) EXPECT_EQ(key_of(index.nearest(key, barrier)), 10u) << "the only one";
  index.insert(20, 0), index.insert(23, 0);
  EXPECT_EQ(key_of(index.nearest(0, barrier)), 10u);
  EXPECT_EQ(key_of(index.nearest(14, barrier)), 10u);
  EXPECT_EQ(key_of(index.nearest(15, barrier)), 10u) << "as far from 20";
  EXPECT_EQ(key_of(index.nearest(16, barrier)), 20u);
  EXPECT_EQ(key_of(index.nearest(20, barrier)), 20u);
  EXPECT_EQ(key_of(index.nearest(21, barrier)), 20u);
  EXPECT_EQ(key_of(index.nearest(22, barrier)), 23u);
  EXPECT_EQ(key_of(index.nearest(std::uint64_t(-1), barrier)), 23u);
}

template <class K>
void expect_nearest(K low, K high, K key, K expected) {
  TreeIndex<K, int> index;
  index.insert(low, 0), index.insert(high, 0);
  const ebr::Barrier barrier;
  const auto found = index.nearest(key, barrier);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->first, expected);
}

TEST(TreeIndexOrder, the_nearest_is_right_where_distances_do_not_fit_into_the_type_of_keys) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min(), kMost = -(kLeast + 1);
  expect_nearest<std::int64_t>(kLeast, kMost, -1, kLeast);
  expect_nearest<std::int64_t>(kLeast, kMost, 0, kMost);
  expect_nearest<std::int64_t>(kLeast, 5, kMost, 5);
  expect_nearest<std::int64_t>(kLeast, kMost, kMost - 1, kMost);
  expect_nearest<std::int8_t>(-128, 127, -1, -128);
  expect_nearest<std::int8_t>(-128, 127, 0, 127);
  expect_nearest<std::uint8_t>(0, 255, 127, 0);
  expect_nearest<std::uint8_t>(0, 255, 128, 255);
  expect_nearest<double>(-1e308, 1.5e308, 1e308, 1.5e308);
  expect_nearest<float>(1.0f, 2.0f, 1.5f, 1.0f);
}

template <class Config>
class TreeIndexPop : public testing::Test {};
using Kinds = testing::Types<Integers, IntegersToStrings, Strings, Vectors>;
TYPED_TEST_SUITE(TreeIndexPop, Kinds);

// From either end, or both, while the tree shrinks to nothing; more often than there are slots.
TYPED_TEST(TreeIndexPop, takes_the_entry_at_the_end_of_the_order) {
  for (const std::uint64_t keys : {0, 1, 2, 13, 60, 700}) {
    for (const int from : {0, 1, 2}) {
      TreeIndex<typename TypeParam::Key, typename TypeParam::Value> index;
      for (std::uint64_t n = 0; n < keys; ++n) {
        const std::uint64_t key = n * 7919 % keys;
        index.insert(TypeParam::key(key), TypeParam::value(key));
      }
      const ebr::Barrier barrier;
      std::vector<decltype(index.pop_first(barrier))> popped;
      Numbers expected;
      std::uint64_t low = 0, high = keys;
      while (low < high) {
        const bool first = from == 0 || (from == 2 && popped.size() % 3 != 0);
        popped.push_back(first ? index.pop_first(barrier) : index.pop_last(barrier));
        expected.push_back(first ? low++ : --high);
        ASSERT_TRUE(popped.back().has_value());
        ASSERT_FALSE(index.contains(TypeParam::key(expected.back())));
        ASSERT_EQ(index.is_empty(), low == high);
      }
      EXPECT_EQ(index.pop_first(barrier), std::nullopt);
      EXPECT_EQ(index.pop_last(barrier), std::nullopt);
      EXPECT_EQ(index.depth(), 2u) << "what was emptied was unlinked";
      // They stay until the barrier ends.
      reclaim_all(100);
      for (std::size_t n = 0; n < expected.size(); ++n) {
        ASSERT_EQ(typename TypeParam::Key(popped[n]->first), TypeParam::key(expected[n]));
        ASSERT_EQ(popped[n]->second, TypeParam::value(expected[n]));
      }
    }
  }
}

TEST(TreeIndexPopOf, values_that_were_popped_are_freed_when_the_barrier_ends) {
  Atomic<int> alive{0};
  TreeIndex<std::string, Counted> index;
  for (int n = 0; n < 500; ++n) index.insert(std::to_string(1000 + n), Counted(alive, n));
  for (int n = 0; n < 250; ++n) {
    const ebr::Barrier barrier;
    EXPECT_EQ(index.pop_first(barrier)->second.value(), n);
    EXPECT_EQ(index.pop_last(barrier)->second.value(), 499 - n);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
  EXPECT_TRUE(index.is_empty());
}

TEST(TreeIndexPopOf, a_queue_by_priority_gives_what_was_inserted_meanwhile) {
  TreeIndex<std::uint64_t, std::uint64_t, std::greater<>> index;
  const ebr::Barrier barrier;
  std::uint64_t random = 1;
  std::map<std::uint64_t, std::uint64_t> map;
  for (int n = 0; n < 5000; ++n) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    if ((random >> 62) != 0 && n < 4000) {
      index.insert(random >> 40, random), map.emplace(random >> 40, random);
    } else if (map.empty()) {
      ASSERT_EQ(index.pop_first(barrier), std::nullopt);
    } else {
      const auto popped = (random >> 61) % 2 == 0 ? index.pop_first(barrier) : index.pop_last(barrier);
      const auto expected = (random >> 61) % 2 == 0 ? std::prev(map.end()) : map.begin();
      ASSERT_TRUE(popped.has_value());
      ASSERT_EQ(popped->first, expected->first);
      ASSERT_EQ(popped->second, expected->second);
      map.erase(expected);
    }
  }
}

template <class Range>
Numbers keys_in(Range range) {
  Numbers keys;
  for (auto [key, value] : range) keys.push_back(key);
  return keys;
}

TEST(TreeIndexOrder, walks_down_through_all_entries) {
  for (const std::uint64_t keys : {0, 1, 5, 100, 1000}) {
    TreeIndex<std::uint64_t, std::uint64_t> index;
    for (std::uint64_t n = 0; n < keys; ++n) index.insert(n * 7919 % keys, n);
    const ebr::Barrier barrier;
    Numbers up = keys_in(index.iter(barrier));
    EXPECT_EQ(up.size(), keys);
    std::reverse(up.begin(), up.end());
    EXPECT_EQ(keys_in(index.reverse_iter(barrier)), up);
  }
}

// With an order that takes no views: bounds are compared as the index compares.
TEST(TreeIndexOrder, ranges_of_byte_strings_in_the_order_of_a_type_take_views_as_bounds) {
  TreeIndex<std::string, int, std::less<std::string>> index;
  for (const char* const key : {"apple", "apricot", "banana"}) index.insert(key, 0);
  const ebr::Barrier barrier;
  std::vector<std::string> seen;
  for (auto [key, value] : index.range(excluded("apple"), included("banana"), barrier)) seen.emplace_back(key);
  for (auto [key, value] : index.reverse_range(included("ap"), excluded("banana"), barrier)) seen.emplace_back(key);
  EXPECT_EQ(seen, (std::vector<std::string>{"apricot", "banana", "apricot", "apple"}));
}

template <class Config>
class TreeIndexScan : public testing::Test {};
TYPED_TEST_SUITE(TreeIndexScan, Kinds);

TYPED_TEST(TreeIndexScan, visits_what_a_range_has_however_often_it_renews_its_barrier) {
  using Key = typename TypeParam::Key;
  using Value = typename TypeParam::Value;
  constexpr std::uint64_t kKeys = 200;
  TreeIndex<Key, Value> index;
  for (std::uint64_t n = 0; n < kKeys; ++n) index.insert(TypeParam::key(n), TypeParam::value(n));
  for (const std::size_t per_barrier : {0, 1, 2, 7, 199, 200, 1024}) {
    for (const std::uint64_t low : {0, 3, 150}) {
      for (const std::uint64_t high : {2, 151, 500}) {
        std::vector<std::pair<Key, Value>> expected, seen;
        for (std::uint64_t n = low + 1; n <= high && n < kKeys; ++n)
          expected.emplace_back(TypeParam::key(n), TypeParam::value(n));
        const std::size_t visited = index.scan(
            excluded(TypeParam::key(low)), included(TypeParam::key(high)),
            [&](const auto& key, const Value& value) { seen.emplace_back(Key(key), value); }, per_barrier);
        EXPECT_EQ(seen, expected);
        EXPECT_EQ(visited, expected.size());
      }
    }
    EXPECT_EQ(index.scan(
                  unbounded, unbounded, [](const auto&, const Value&) {}, per_barrier),
              kKeys);
  }
}

TEST(TreeIndexScanOf, numbers_ends_where_its_function_says_so) {
  TreeIndex<std::uint64_t, std::uint64_t> index;
  for (std::uint64_t n = 0; n < 100; ++n) index.insert(n, n);
  for (const std::size_t per_barrier : {1, 8, 10, 11, 1000}) {
    std::uint64_t last = 0;
    const auto until_ten = [&](std::uint64_t key, std::uint64_t) {
      last = key;
      return key < 10;
    };
    EXPECT_EQ(index.scan(included(1), unbounded, until_ten, per_barrier), 10u) << "with the last";
    EXPECT_EQ(last, 10u);
  }
  EXPECT_THROW(index.scan(unbounded, unbounded, [](std::uint64_t key, std::uint64_t) { throw key; }), std::uint64_t);
}

// What it has passed is freed while it goes on, unless the caller holds a barrier.
TEST(TreeIndexScanOf, a_whole_index_lets_go_of_what_it_has_passed) {
  for (const bool held : {false, true}) {
    Atomic<int> alive{0};
    TreeIndex<std::uint64_t, Counted> index;
    constexpr int kKeys = 20'000;
    for (int n = 0; n < kKeys; ++n) index.insert(static_cast<std::uint64_t>(n), Counted(alive, n));
    int least_alive = kKeys;
    {
      std::optional<ebr::Barrier> barrier;
      if (held) barrier.emplace();
      const std::size_t visited = index.scan(
          unbounded, unbounded,
          [&](std::uint64_t key, const Counted& value) {
            EXPECT_EQ(value.value(), static_cast<int>(key));
            index.remove(key);
            ebr::collect();
            least_alive = std::min(least_alive, alive.load());
          },
          100);
      EXPECT_EQ(visited, static_cast<std::size_t>(kKeys));
    }
    EXPECT_EQ(least_alive == kKeys, held);
    EXPECT_EQ(least_alive < kKeys / 2, !held);
    EXPECT_TRUE(reclaim_all());
  }
}

}  // namespace
}  // namespace scree::test
