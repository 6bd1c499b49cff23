// SPDX-License-Identifier: Apache-2.0
//
// TreeIndex by example: what each operation does, what stays valid how long.

#include <scree/tree_index.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reclaim.h"

namespace scree::test {
namespace {

// The examples of the document that the project started from.
TEST(TreeIndex, example_insert_and_read) {
  TreeIndex<std::uint64_t, std::uint32_t> index;
  EXPECT_TRUE(index.insert(1, 2u));
  EXPECT_EQ(index.read(1, [](std::uint64_t, const std::uint32_t& v) { return v; }), 2u);
  EXPECT_TRUE(index.insert(2, 3u));
  EXPECT_FALSE(index.remove_if(1, [](const std::uint32_t& v) { return v == 3; }));
  EXPECT_TRUE(index.remove_if(1, [](const std::uint32_t& v) { return v == 2; }));
}

TEST(TreeIndex, example_scan) {
  TreeIndex<std::uint64_t, std::uint32_t> index;
  EXPECT_TRUE(index.insert(1, 10u));
  EXPECT_TRUE(index.insert(2, 11u));
  EXPECT_TRUE(index.insert(3, 13u));
  const ebr::Barrier barrier;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> seen;
  for (auto [key, value] : index.iter(barrier)) seen.emplace_back(key, value);
  EXPECT_EQ(seen, (std::vector<std::pair<std::uint64_t, std::uint32_t>>{{1, 10}, {2, 11}, {3, 13}}));
}

template <class Range>
std::size_t count(Range range) {
  std::size_t n = 0;
  for ([[maybe_unused]] auto entry : range) ++n;
  return n;
}

TEST(TreeIndex, example_range) {
  TreeIndex<std::uint64_t, std::uint32_t> index;
  for (std::uint64_t n = 0; n < 10; ++n) EXPECT_TRUE(index.insert(n, 10u));
  const ebr::Barrier barrier;
  EXPECT_EQ(count(index.range(included(1), excluded(1), barrier)), 0u);
  EXPECT_EQ(count(index.range(included(4), excluded(8), barrier)), 4u);
  EXPECT_EQ(count(index.range(included(4), included(8), barrier)), 5u);
}

TEST(TreeIndex, insert_keeps_the_present_entry) {
  TreeIndex<std::uint64_t, int> index;
  EXPECT_TRUE(index.insert(1, 10));
  EXPECT_FALSE(index.insert(1, 20));
  EXPECT_EQ(index.read(1, [](auto, const int& v) { return v; }), 10);
  EXPECT_EQ(index.len(), 1u);
}

template <class V>
void check_that_upsert_leaves_readers_the_old_entry(const V& old_value, const V& new_value) {
  TreeIndex<std::string, V> by_string;
  TreeIndex<std::uint64_t, V> by_integer;
  EXPECT_FALSE(by_string.upsert("k", old_value));
  EXPECT_FALSE(by_integer.upsert(1, old_value));
  const ebr::Barrier barrier;
  const V* first = by_string.peek("k", barrier);
  const V* second = by_integer.peek(1, barrier);
  // More often than a leaf has slots: the leaf itself is replaced.
  for (int n = 0; n < 40; ++n) {
    EXPECT_TRUE(by_string.upsert("k", new_value));
    EXPECT_TRUE(by_integer.upsert(1, new_value));
  }
  reclaim_all(100);
  EXPECT_EQ(*first, old_value);
  EXPECT_EQ(*second, old_value);
  EXPECT_EQ(*by_string.peek("k", barrier), new_value);
  EXPECT_EQ(*by_integer.peek(1, barrier), new_value);
  EXPECT_EQ(by_string.len(), 1u);
}

TEST(TreeIndex, upsert_replaces_the_entry_and_readers_keep_the_old_one) {
  check_that_upsert_leaves_readers_the_old_entry<std::uint64_t>(1, 2);
  check_that_upsert_leaves_readers_the_old_entry<std::string>("old", "new");
}

TEST(TreeIndex, entries_outlive_the_index_under_a_barrier) {
  Atomic<int> alive{0};
  auto index = std::make_unique<TreeIndex<std::string, Counted>>();
  for (int n = 0; n < 100; ++n) index->insert(std::to_string(n), Counted(alive, n));
  {
    const ebr::Barrier barrier;
    auto cursor = index->cursor(barrier);
    cursor.seek("50");
    ASSERT_TRUE(cursor.valid());
    const std::string_view key = cursor.key();
    const Counted& value = cursor.value();
    index->remove("50");
    index.reset();
    reclaim_all(100);
    EXPECT_EQ(key, "50");
    EXPECT_EQ(value.value(), 50);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(TreeIndex, read_returns_what_its_function_returns) {
  TreeIndex<std::uint64_t, std::string> index;
  index.insert(1, "abc");
  EXPECT_EQ(index.read(1, [](std::uint64_t k, const std::string& v) { return v.size() + k; }), 4u);
  EXPECT_EQ(index.read(2, [](std::uint64_t, const std::string& v) { return v.size(); }), std::nullopt);
  int calls = 0;
  EXPECT_TRUE(index.read(1, [&](std::uint64_t, const std::string&) { ++calls; }));
  EXPECT_FALSE(index.read(2, [&](std::uint64_t, const std::string&) { ++calls; }));
  EXPECT_EQ(calls, 1);
}

TEST(TreeIndex, find_or_insert_shares_one_cell) {
  TreeIndex<std::string, Atomic<int>> index;
  const ebr::Barrier barrier;
  const auto [first, inserted] = index.find_or_insert("k", barrier, 5);
  EXPECT_TRUE(inserted);
  // Its leaf is split and its neighbours removed: it stays where it is.
  for (int n = 0; n < 200; ++n) index.find_or_insert(std::to_string(n), barrier, n);
  for (int n = 0; n < 200; ++n) index.remove(std::to_string(n));
  const auto [second, again] = index.find_or_insert("k", barrier, 6);
  EXPECT_FALSE(again);
  EXPECT_EQ(&first, &second);
  ++second;
  EXPECT_EQ(index.read("k", [](std::string_view, const Atomic<int>& v) { return v.load(); }), 6);
}

TEST(TreeIndex, orders_byte_strings_as_unsigned_bytes_and_shows_views) {
  TreeIndex<std::string, int> index;
  const std::vector<std::string> keys = {"",
                                         std::string("\0", 1),
                                         std::string("\0\0", 2),
                                         "a",
                                         std::string("a\0", 2),
                                         "abcdefgh",
                                         std::string("abcdefgh\0", 9),
                                         "abcdefghi",
                                         "b",
                                         "\x7f",
                                         "\x80",
                                         "\xff",
                                         std::string(70'000, '\xff')};
  for (std::size_t n = keys.size(); n-- > 0;) EXPECT_TRUE(index.insert(std::string_view(keys[n]), static_cast<int>(n)));
  const ebr::Barrier barrier;
  std::size_t n = 0;
  for (auto [key, value] : index.iter(barrier)) {
    static_assert(std::is_same_v<decltype(key), std::string_view>);
    EXPECT_EQ(key, keys[n++]);
  }
  EXPECT_EQ(n, keys.size());
  for (const std::string& key : keys) EXPECT_TRUE(index.contains(key));
  EXPECT_TRUE(index.contains(std::string_view())) << "an empty view without data";
}

TEST(TreeIndex, takes_another_order) {
  TreeIndex<std::uint64_t, std::uint64_t, std::greater<>> numbers;
  TreeIndex<std::string, int, std::greater<>> strings;
  for (std::uint64_t n = 0; n < 100; ++n) {
    numbers.insert(n, n);
    strings.insert(std::to_string(1000 + n), 0);
  }
  const ebr::Barrier barrier;
  std::uint64_t expected = 100;
  for (auto [key, value] : numbers.iter(barrier)) EXPECT_EQ(key, --expected);
  EXPECT_EQ(expected, 0u);
  expected = 1100;
  for (auto [key, value] : strings.iter(barrier)) EXPECT_EQ(std::string(key), std::to_string(--expected));
  EXPECT_EQ(expected, 1000u);
}

TEST(TreeIndex, takes_values_that_only_move) {
  TreeIndex<std::uint64_t, std::unique_ptr<int>> index;
  EXPECT_TRUE(index.insert(1, std::make_unique<int>(5)));
  EXPECT_TRUE(index.upsert(1, std::make_unique<int>(6)));
  EXPECT_EQ(index.read(1, [](auto, const std::unique_ptr<int>& v) { return *v; }), 6);
}

TEST(TreeIndex, a_failed_insert_leaves_its_arguments_untouched) {
  TreeIndex<std::string, std::unique_ptr<int>> index;
  index.insert("k", std::make_unique<int>(1));
  std::string key = "k";
  auto value = std::make_unique<int>(2);
  EXPECT_FALSE(index.insert(std::move(key), std::move(value)));
  EXPECT_EQ(key, "k");
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(*value, 2);
}

TEST(TreeIndex, grows_and_shrinks_in_depth) {
  TreeIndex<std::uint64_t, std::uint64_t> index;
  const std::size_t flat = index.depth();
  constexpr std::uint64_t kKeys = 20'000;
  for (std::uint64_t n = 0; n < kKeys; ++n) index.insert(n * 7919 % kKeys, n);
  EXPECT_GT(index.depth(), flat);
  EXPECT_LE(index.depth(), 16u);
  EXPECT_EQ(index.len(), kKeys);
  for (std::uint64_t n = 0; n < kKeys; ++n) EXPECT_TRUE(index.remove(n * 7907 % kKeys)) << n;
  EXPECT_TRUE(index.is_empty());
  EXPECT_EQ(index.len(), 0u);
  EXPECT_EQ(index.depth(), flat) << "empty nodes are unlinked";
}

TEST(TreeIndex, clear_removes_everything_and_readers_keep_what_they_hold) {
  Atomic<int> alive{0};
  {
    TreeIndex<std::uint64_t, Counted> index;
    for (std::uint64_t n = 0; n < 1000; ++n) index.insert(n, Counted(alive, static_cast<int>(n)));
    {
      const ebr::Barrier barrier;
      const Counted* held = index.peek(500, barrier);
      index.clear();
      EXPECT_TRUE(index.is_empty());
      EXPECT_FALSE(index.contains(500));
      EXPECT_TRUE(index.insert(500, Counted(alive, 1)));
      reclaim_all(100);
      EXPECT_EQ(held->value(), 500);
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, 1);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(TreeIndex, frees_its_entries_with_it) {
  Atomic<int> alive{0};
  {
    TreeIndex<std::string, Counted> index;
    for (int n = 0; n < 1000; ++n) index.insert(std::to_string(n), Counted(alive, n));
    for (int n = 0; n < 1000; n += 2) index.upsert(std::to_string(n), Counted(alive, n));
    for (int n = 0; n < 1000; n += 3) index.remove(std::to_string(n));
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(static_cast<std::size_t>(alive.load()), index.len());
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

// Entries whose destructors use the index that they were in, also while it retires others.
TEST(TreeIndex, may_be_used_by_destructors_of_its_entries) {
  struct Chain {
    TreeIndex<std::uint64_t, Chain>* index;
    std::uint64_t next;
    Chain(TreeIndex<std::uint64_t, Chain>* i, std::uint64_t n) : index(i), next(n) {}
    Chain(Chain&& other) noexcept : index(std::exchange(other.index, nullptr)), next(other.next) {}
    ~Chain() {
      if (index != nullptr) index->remove(next);
    }
  };
  constexpr std::uint64_t kPairs = 2000;
  TreeIndex<std::uint64_t, Chain> index;
  for (std::uint64_t n = 0; n < kPairs; ++n) {
    index.insert(n, Chain(&index, n + kPairs));
    index.insert(n + kPairs, Chain(nullptr, 0));
  }
  for (std::uint64_t n = 0; n < kPairs; ++n) EXPECT_TRUE(index.remove(n));
  EXPECT_TRUE(reclaim_all());
  EXPECT_TRUE(index.is_empty());
}

}  // namespace
}  // namespace scree::test
