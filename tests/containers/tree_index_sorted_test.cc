// SPDX-License-Identifier: Apache-2.0
//
// TreeIndex built from sorted sequences: what it holds, how full its nodes are, and that it goes on as any other.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <scree/tree_index.h>

#include "index_configs.h"
#include "index_steps.h"
#include "reclaim.h"
#include "support/tree_walk.h"

namespace scree::test {
namespace {

constexpr std::size_t kBase = detail::kLeafBase, kChildren = detail::kInnerChildren;

template <class Config>
class TreeIndexSorted : public testing::Test {
 public:
  using Index = TreeIndex<typename Config::Key, typename Config::Value>;

  static Model<Config> entries(std::size_t n, std::uint64_t stride = 1) {
    Model<Config> entries;
    for (std::uint64_t i = 0; i < n; ++i) entries.emplace(Config::key(i * stride), Config::value(i));
    return entries;
  }
  static bool holds(const Index& index, const Model<Config>& model) {
    const auto seen = entries_of<Config>(index);
    return std::equal(seen.begin(), seen.end(), model.begin(), model.end(),
                      [](const auto& a, const auto& b) { return a.first == b.first && a.second == b.second; }) &&
           size_is_exact(index);
  }
};

using Configs = testing::Types<Integers, IntegersToStrings, Strings, Vectors>;
TYPED_TEST_SUITE(TreeIndexSorted, Configs);

TYPED_TEST(TreeIndexSorted, holds_the_sequence_in_full_nodes) {
  constexpr std::size_t kOne = kBase * kChildren;
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, kBase - 1, kBase, kBase + 1, 2 * kBase - 1, 2 * kBase,
                              2 * kBase + 1, kOne - 1, kOne, kOne + 1, 2 * kOne + 1, kOne * 5 + kBase}) {
    const auto model = TestFixture::entries(n);
    typename TestFixture::Index index;
    index.insert(TypeParam::key(7), TypeParam::value(8));
    index.assign_sorted(model.begin(), model.end());
    EXPECT_TRUE(TestFixture::holds(index, model)) << n;
    const TreeWalk walk = walk_through(index);
    EXPECT_EQ(walk.leaves, std::max<std::size_t>(1, (n + kBase - 1) / kBase));
    EXPECT_GE(walk.least_entries, std::min(n, std::max<std::size_t>(2, kBase / 4)));
    EXPECT_GE(walk.least_children, std::min(walk.leaves, walk.inner_nodes == 1 ? kChildren : std::size_t{2}));
    for (const auto& [key, value] : model) EXPECT_TRUE(index.contains(key));
  }
}

TYPED_TEST(TreeIndexSorted, goes_on_as_any_other) {
  using Config = TypeParam;
  for (const std::size_t n : {std::size_t{1}, kBase + 1, 20 * kBase, 6 * kBase * kChildren / 4}) {
    auto model = TestFixture::entries(n, 2);
    auto index = TestFixture::Index::from_sorted(model);
    std::mt19937_64 random(n);
    for (std::size_t i = 0; i < 4 * n; ++i) {
      const auto key = Config::key(random() % (2 * n + 2));
      const auto value = Config::value(i);
      if (random() % 8 < (i < 2 * n ? 5 : 1)) {
        EXPECT_EQ(index.insert(key, value), model.emplace(key, value).second);
      } else {
        EXPECT_EQ(index.remove(key), model.erase(key) == 1);
      }
    }
    EXPECT_TRUE(TestFixture::holds(index, model));
  }
}

TYPED_TEST(TreeIndexSorted, stays_as_it_was_where_keys_do_not_ascend) {
  using Config = TypeParam;
  const auto model = TestFixture::entries(5);
  auto index = TestFixture::Index::from_sorted(model);
  using Entries = std::vector<std::pair<typename Config::Key, typename Config::Value>>;
  for (const std::size_t n : {std::size_t{2}, kBase + 1, 2 * kBase + 1, 5 * kBase}) {
    Entries entries;
    for (std::size_t i = 0; i < n; ++i) entries.emplace_back(Config::key(i), Config::value(i));
    Entries twice = entries;
    twice.back().first = twice[n - 2].first;
    EXPECT_THROW(index.assign_sorted(twice), std::invalid_argument);
    std::swap(entries[n - 1], entries[n - 2]);
    EXPECT_THROW(index.assign_sorted(entries), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(TestFixture::Index::from_sorted(entries)), std::invalid_argument);
    EXPECT_TRUE(TestFixture::holds(index, model));
  }
}

TYPED_TEST(TreeIndexSorted, copies_what_another_index_shows) {
  const auto model = TestFixture::entries(3 * kBase);
  const auto index = TestFixture::Index::from_sorted(model);
  const ebr::Barrier barrier;
  const auto copy = TestFixture::Index::from_sorted(index.iter(barrier));
  EXPECT_TRUE(TestFixture::holds(copy, model));
}

// Numbers that are read from a stream.
struct Parsed {
  std::uint64_t number;
  template <std::size_t>
  friend std::uint64_t get(const Parsed& parsed) {
    return parsed.number;
  }
  friend std::istream& operator>>(std::istream& in, Parsed& parsed) { return in >> parsed.number; }
};

TEST(TreeIndexSortedSources, may_be_read_once) {
  std::ostringstream out;
  for (int n = 0; n < 1000; ++n) out << n << ' ';
  std::istringstream in(out.str());
  TreeIndex<std::uint64_t, std::uint64_t> index;
  index.assign_sorted(std::istream_iterator<Parsed>(in), std::istream_iterator<Parsed>());
  EXPECT_EQ(index.len(), 1000u);
  EXPECT_EQ(index.read(999, [](auto, std::uint64_t value) { return value; }), 999u);
}

TEST(TreeIndexSortedSources, may_be_tuples_of_other_types) {
  const std::vector<std::tuple<const char*, int>> entries = {{"a", 1}, {"b", 2}};
  const auto index = TreeIndex<std::string, std::int64_t>::from_sorted(entries);
  EXPECT_EQ(index.read("b", [](auto, std::int64_t value) { return value; }), 2);
}

TEST(TreeIndexSortedSources, may_be_moved_from_and_keep_what_was_not_taken) {
  std::vector<std::pair<std::uint64_t, std::unique_ptr<int>>> entries;
  for (const int n : {1, 2, 3, 3}) entries.emplace_back(n, std::make_unique<int>(n));
  TreeIndex<std::uint64_t, std::unique_ptr<int>> index;
  const auto begin = std::make_move_iterator(entries.begin());
  EXPECT_THROW(index.assign_sorted(begin, std::make_move_iterator(entries.end())), std::invalid_argument);
  EXPECT_TRUE(index.is_empty());
  ASSERT_NE(entries[3].second, nullptr);
  EXPECT_EQ(*entries[3].second, 3);
  for (const int n : {0, 1, 2}) entries[n].second = std::make_unique<int>(n);
  index.assign_sorted(begin, begin + 3);
  EXPECT_EQ(index.len(), 3u);
  EXPECT_EQ(index.read(2, [](auto, const std::unique_ptr<int>& value) { return *value; }), 1);
}

TEST(TreeIndexSortedSources, may_stand_in_another_order) {
  const std::map<std::string, int, std::greater<>> entries = {{"c", 1}, {"b", 2}, {"a", 3}};
  const auto index = TreeIndex<std::string, int, std::greater<>>::from_sorted(entries);
  EXPECT_EQ(index.len(), 3u);
  EXPECT_THROW((TreeIndex<std::string, int>::from_sorted(entries)), std::invalid_argument);
}

TEST(TreeIndexSortedSources, leave_readers_what_they_hold) {
  Atomic<int> alive{0};
  {
    TreeIndex<int, Counted> index;
    index.insert(1, Counted(alive, 1));
    {
      const ebr::Barrier barrier;
      const Counted* const held = index.peek(1, barrier);
      std::vector<std::pair<int, Counted>> entries;
      for (int n = 0; n < 100; ++n) entries.emplace_back(n, Counted(alive, n + 1));
      index.assign_sorted(entries);
      reclaim_all(100);
      EXPECT_EQ(held->value(), 1);
      EXPECT_EQ(index.peek(1, barrier)->value(), 2);
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, 100);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(TreeIndexSortedSources, may_be_large) {
  constexpr std::uint64_t kKeys = 100'000;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> entries;
  for (std::uint64_t n = 0; n < kKeys; ++n) entries.emplace_back(3 * n, n);
  TreeIndex<std::uint64_t, std::uint64_t> index;
  index.assign_sorted(entries);
  for (std::uint64_t n = 0; n < kKeys; ++n) {
    EXPECT_TRUE(index.contains(3 * n));
    EXPECT_FALSE(index.contains(3 * n + 1));
    EXPECT_TRUE(index.insert(3 * n + 1, n));
  }
  EXPECT_EQ(index.len(), 2 * kKeys);
  EXPECT_TRUE(size_is_exact(index));
}

}  // namespace
}  // namespace scree::test
