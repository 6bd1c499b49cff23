// SPDX-License-Identifier: Apache-2.0
//
// Ranges and cursors at every border: below the minimum, between leaves, at the keys where leaves and nodes were split.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <scree/tree_index.h>

namespace scree::test {
namespace {

using Numbers = std::vector<std::uint64_t>;
using Index = TreeIndex<std::uint64_t, std::uint64_t>;

template <class Range>
Numbers keys_in(Range range) {
  Numbers keys;
  for (auto [key, value] : range) keys.push_back(key);
  return keys;
}

// Of every kind, those that are no bounds at run time included.
enum class Kind { kNone, kUnbounded, kIncluded, kExcluded };
constexpr Kind kKinds[] = {Kind::kNone, Kind::kUnbounded, Kind::kIncluded, Kind::kExcluded};

template <class F>
auto with_bound(Kind kind, std::uint64_t key, F&& f) {
  switch (kind) {
    case Kind::kNone:
      return f(unbounded);
    case Kind::kUnbounded:
      return f(Bound<std::uint64_t>{BoundKind::kUnbounded, key});
    case Kind::kIncluded:
      return f(included(key));
    default:
      return f(excluded(key));
  }
}

// Both ways.
void check_range(const Index& index, const Numbers& keys, Kind low_kind, std::uint64_t low, Kind high_kind,
                 std::uint64_t high, const ebr::Barrier& barrier) {
  Numbers expected;
  for (const std::uint64_t key : keys) {
    const bool above = low_kind == Kind::kIncluded ? key >= low : low_kind != Kind::kExcluded || key > low;
    const bool below = high_kind == Kind::kIncluded ? key <= high : high_kind != Kind::kExcluded || key < high;
    if (above && below) expected.push_back(key);
  }
  with_bound(low_kind, low, [&](auto lower) {
    with_bound(high_kind, high, [&](auto upper) {
      ASSERT_EQ(keys_in(index.range(lower, upper, barrier)), expected) << low << " to " << high;
      std::reverse(expected.begin(), expected.end());
      ASSERT_EQ(keys_in(index.reverse_range(lower, upper, barrier)), expected) << high << " down to " << low;
    });
  });
}

TEST(TreeIndexRange, has_what_is_between_its_bounds_both_ways_whatever_they_are) {
  for (const Numbers& keys : {Numbers(), Numbers{5, 10, 12}}) {
    Index index;
    for (const std::uint64_t key : keys) index.insert(key, key);
    const ebr::Barrier barrier;
    for (const Kind low_kind : kKinds) {
      for (const Kind high_kind : kKinds) {
        for (std::uint64_t low = 3; low <= 14; ++low) {
          for (std::uint64_t high = 3; high <= 14; ++high) {
            check_range(index, keys, low_kind, low, high_kind, high, barrier);
          }
        }
      }
    }
  }
}

// The crate returned nothing.
TEST(TreeIndexRange, starts_at_the_first_key_within_bounds_that_begin_below_the_minimum) {
  Index index;
  for (const std::uint64_t key : {5, 10, 12}) index.insert(key, key);
  const ebr::Barrier barrier;
  EXPECT_EQ(keys_in(index.range(included(2), included(6), barrier)), (Numbers{5}));
  EXPECT_EQ(keys_in(index.range(excluded(4), excluded(12), barrier)), (Numbers{5, 10}));
  EXPECT_EQ(keys_in(index.range(excluded(5), unbounded, barrier)), (Numbers{10, 12}));
  EXPECT_EQ(keys_in(index.range(unbounded, excluded(5), barrier)), Numbers());
  EXPECT_EQ(keys_in(index.range(included(13), unbounded, barrier)), Numbers());
}

TEST(TreeIndexRange, is_empty_where_its_bounds_enclose_nothing) {
  Index index;
  const ebr::Barrier barrier;
  EXPECT_EQ(keys_in(index.range(unbounded, unbounded, barrier)), Numbers());
  for (std::uint64_t n = 0; n < 100; ++n) index.insert(n, n);
  EXPECT_EQ(keys_in(index.range(included(50), excluded(50), barrier)), Numbers());
  EXPECT_EQ(keys_in(index.range(excluded(50), included(50), barrier)), Numbers());
  EXPECT_EQ(keys_in(index.range(excluded(50), excluded(51), barrier)), Numbers());
  EXPECT_EQ(keys_in(index.range(included(60), included(50), barrier)), Numbers()) << "bounds the wrong way round";
}

// Every pair of bounds over trees of many shapes: each key is at a border of a leaf in some of them.
template <class Insert>
void check_every_pair_of_bounds(std::uint64_t keys, Insert&& insert) {
  Index index;
  insert(index);  // of the odd numbers below 2 * keys
  Numbers odd;
  for (std::uint64_t n = 1; n < 2 * keys; n += 2) odd.push_back(n);
  const ebr::Barrier barrier;
  const std::uint64_t end = 2 * keys;
  for (std::uint64_t low = 0; low <= end; ++low) {
    auto cursor = index.cursor(barrier);
    cursor.seek(low);
    const std::uint64_t first = low | 1;  // the first odd number >= low
    ASSERT_EQ(cursor.valid(), first < end) << low;
    if (cursor.valid()) {
      ASSERT_EQ(cursor.key(), first) << low;
    }
    cursor.seek_for_prev(low);
    ASSERT_EQ(cursor.valid(), low != 0) << low;
    if (cursor.valid()) {
      ASSERT_EQ(cursor.key(), low % 2 == 1 ? low : low - 1) << low;
    }

    for (std::uint64_t high = low == 0 ? 0 : low - 1; high <= end; high += 1 + high % 3) {
      for (const Kind low_kind : {Kind::kIncluded, Kind::kExcluded}) {
        for (const Kind high_kind : {Kind::kIncluded, Kind::kExcluded}) {
          check_range(index, odd, low_kind, low, high_kind, high, barrier);
        }
      }
    }
  }
}

TEST(TreeIndexRange, is_right_at_every_border_of_trees_of_many_shapes) {
  for (const std::uint64_t keys : {1, 2, 3, 4, 5, 8, 13, 14, 15, 16, 28, 29, 60}) {
    const std::uint64_t end = 2 * keys;
    check_every_pair_of_bounds(keys, [&](Index& index) {
      for (std::uint64_t n = 1; n < end; n += 2) index.insert(n, n);
    });
    check_every_pair_of_bounds(keys, [&](Index& index) {
      for (std::uint64_t n = end - 1; n < end; n -= 2) index.insert(n, n);
    });
    // With everything between inserted and removed again, so that leaves emptied and ranges were merged.
    check_every_pair_of_bounds(keys, [&](Index& index) {
      for (std::uint64_t n = 0; n < end; ++n) index.insert(n * 37 % end, n);
      for (std::uint64_t n = 0; n < end; n += 2) index.remove(n);
      for (std::uint64_t n = 1; n < end; n += 2) index.insert(n, n);
    });
    check_every_pair_of_bounds(keys, [&](Index& index) {
      for (std::uint64_t n = 0; n < 10 * end; ++n) index.insert(n, n);
      for (std::uint64_t n = 0; n < 10 * end; ++n) {
        if (n >= end || n % 2 == 0) index.remove(n);
      }
    });
  }
}

TEST(TreeIndexRange, cursor_turns_at_every_place) {
  Index index;
  constexpr std::uint64_t kKeys = 100;
  for (std::uint64_t n = 0; n < kKeys; ++n) index.insert(n * 37 % kKeys, n);
  const ebr::Barrier barrier;
  for (std::uint64_t start = 0; start < kKeys; ++start) {
    for (const std::uint64_t steps : {1, 2, 14, 15, 30}) {
      auto cursor = index.cursor(barrier);
      cursor.seek(start);
      std::uint64_t at = start;
      for (std::uint64_t n = 0; n < steps && at + 1 < kKeys; ++n, ++at) cursor.next();
      ASSERT_TRUE(cursor.valid());
      ASSERT_EQ(cursor.key(), at);
      for (std::uint64_t n = 0; n < 2 * steps && at > 0; ++n, --at) cursor.prev();
      ASSERT_TRUE(cursor.valid());
      ASSERT_EQ(cursor.key(), at);
      if (at == 0) {
        cursor.prev();
        ASSERT_FALSE(cursor.valid());
      }
    }
  }
}

TEST(TreeIndexRange, cursor_is_invalid_until_its_first_seek_and_past_either_end) {
  Index index;
  const ebr::Barrier barrier;
  auto cursor = index.cursor(barrier);
  EXPECT_FALSE(cursor.valid());
  cursor.seek_to_first();
  EXPECT_FALSE(cursor.valid());
  cursor.seek_to_last();
  EXPECT_FALSE(cursor.valid());
  index.insert(5, 5);
  cursor.seek_to_last();
  ASSERT_TRUE(cursor.valid());
  cursor.next();
  EXPECT_FALSE(cursor.valid());
  cursor.seek(6);
  EXPECT_FALSE(cursor.valid());
  cursor.seek_for_prev(4);
  EXPECT_FALSE(cursor.valid());
  cursor.seek_for_prev(5);
  EXPECT_TRUE(cursor.valid());
}

TEST(TreeIndexRange, of_strings_takes_any_bytes_as_bounds) {
  TreeIndex<std::string, int> index;
  for (const char* key : {"apple", "apricot", "banana", "cherry"}) index.insert(key, 0);
  const ebr::Barrier barrier;
  std::vector<std::string> seen;
  for (auto [key, value] : index.range(included("ap"), excluded(std::string("aq")), barrier)) seen.emplace_back(key);
  EXPECT_EQ(seen, (std::vector<std::string>{"apple", "apricot"}));
  seen.clear();
  for (auto [key, value] : index.reverse_range(excluded("ap"), included(std::string("apricot")), barrier))
    seen.emplace_back(key);
  EXPECT_EQ(seen, (std::vector<std::string>{"apricot", "apple"}));
}

}  // namespace
}  // namespace scree::test
