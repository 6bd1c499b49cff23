// SPDX-License-Identifier: Apache-2.0
//
// TreeIndex by example: what each operation does, what stays valid how long.

#include <scree/tree_index.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "index_checks.h"
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

TEST(TreeIndex, insert_keeps_the_present_entry) { check_that_insert_keeps_the_present_entry<TreeIndex>(); }

TEST(TreeIndex, upsert_replaces_the_entry_and_readers_keep_the_old_one) {
  check_that_upsert_replaces_the_entry_and_readers_keep_the_old_one<TreeIndex>();
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
  check_that_read_returns_what_its_function_returns<TreeIndex>();
}

TEST(TreeIndex, reads_many_keys_together_as_one_by_one) {
  TreeIndex<std::uint64_t, std::uint64_t> index;
  for (std::uint64_t n = 0; n < 5000; ++n) index.insert(n * 3, n);
  std::vector<std::uint64_t> keys;
  for (std::uint64_t n = 0; n < 1000; ++n) keys.push_back(n * 7919 % 16'000);
  for (const std::size_t count : {0, 1, 15, 16, 17, 1000}) {
    std::vector<int> seen(count);
    std::size_t expected = 0;
    const std::span<const std::uint64_t> some(keys.data(), count);
    const std::size_t found = index.read_batch(some, [&](std::size_t i, std::uint64_t key, std::uint64_t value) {
      EXPECT_EQ(key, keys[i]);
      EXPECT_EQ(value, keys[i] / 3);
      ++seen.at(i);
    });
    for (std::size_t i = 0; i < count; ++i) {
      const bool present = keys[i] % 3 == 0 && keys[i] < 15'000;
      EXPECT_EQ(seen[i], present ? 1 : 0);
      expected += present;
    }
    EXPECT_EQ(found, expected);
  }
  TreeIndex<std::string, int> words;
  words.insert("a", 1), words.insert("a key longer than its head", 2);
  const std::vector<std::string_view> asked = {"a key longer", "a", "a key longer than its head"};
  int sum = 0;
  EXPECT_EQ(words.read_batch(std::span(asked),
                             [&](std::size_t i, std::string_view, int value) { sum += static_cast<int>(i) * value; }),
            2u);
  EXPECT_EQ(sum, 1 + 4);
}

// Keys of other types go where they belong when they are converted.
TEST(TreeIndex, converts_keys_before_it_looks_where_they_belong) {
  TreeIndex<int, int> index;
  for (int n = -20; n < 20; ++n) EXPECT_TRUE(index.insert(n * 2, n));
  for (unsigned n = 0; n < 20; ++n) EXPECT_FALSE(index.insert(n * 2, 99));
  EXPECT_FALSE(index.insert(2.5, 99)) << "that is 2";
  EXPECT_TRUE(index.upsert(std::int64_t{-6}, 100));
  EXPECT_EQ(index.len(), 40u);
  TreeIndex<std::uint32_t, int> narrow;
  EXPECT_TRUE(narrow.insert(5, 1));
  EXPECT_FALSE(narrow.insert(std::uint64_t{0x100000005}, 2));
  EXPECT_FALSE(narrow.contains(std::uint64_t{0x100000005}));
}

TEST(TreeIndex, asks_the_condition_of_a_removal_once_where_nobody_interferes) {
  TreeIndex<int, int> index;
  constexpr int kLast = detail::kLeafSlots;  // written to a leaf whose base the others are by then
  for (int n = 0; n <= kLast; ++n) index.insert(n, n);
  int asked = 0;
  for (const int n : {0, kLast}) EXPECT_TRUE(index.remove_if(n, [&](int) { return ++asked > 0; }));
  EXPECT_EQ(asked, 2);
}

// What is left after most is removed takes few nodes: small ones are merged.
TEST(TreeIndex, merges_what_has_become_small) {
  TreeIndex<std::uint64_t, std::uint64_t> index;
  constexpr std::uint64_t kKeys = 100'000, kLeft = 100;
  for (std::uint64_t n = 0; n < kKeys; ++n) index.insert(n * 2654435761 % kKeys, n);
  const std::size_t depth = index.depth();
  for (std::uint64_t n = 0; n < kKeys; ++n) {
    const std::uint64_t key = n * 40503 % kKeys;
    if (key % (kKeys / kLeft) != 0) {
      ASSERT_TRUE(index.remove(key));
    }
  }
  EXPECT_EQ(index.len(), kLeft);
  EXPECT_LT(index.depth(), depth);
  const ebr::Barrier barrier;
  std::uint64_t next = 0;
  for (const auto& [key, value] : index.iter(barrier)) {
    EXPECT_EQ(key, next);
    next += kKeys / kLeft;
  }
  EXPECT_EQ(next, kKeys);
}

TEST(TreeIndex, find_or_insert_shares_one_cell) { check_that_find_or_insert_shares_one_cell<TreeIndex>(); }

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

TEST(TreeIndex, takes_values_that_only_move) { check_that_values_may_only_move<TreeIndex>(); }

TEST(TreeIndex, a_failed_insert_leaves_its_arguments_untouched) {
  check_that_a_failed_insert_leaves_its_arguments_untouched<TreeIndex>();
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
  check_that_clear_removes_everything_and_readers_keep_what_they_hold<TreeIndex>();
}

TEST(TreeIndex, frees_its_entries_with_it) { check_that_an_index_frees_its_entries_with_it<TreeIndex>(); }

TEST(TreeIndex, may_be_used_by_destructors_of_its_entries) {
  check_that_destructors_of_entries_may_use_the_index<TreeIndex>();
}

}  // namespace
}  // namespace scree::test
