// SPDX-License-Identifier: Apache-2.0
//
// TreeIndex with values that are byte strings kept in one block with their keys.

#include <scree/bytes.h>
#include <scree/tree_index.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "reclaim.h"
#include "support/tree_walk.h"

namespace scree::test {
namespace {

// Keys of each kind for the same numbers, ascending with them.
struct ByteKeys {
  using Key = std::string;
  static Key key(std::uint64_t n) { return "a common prefix/" + std::to_string(100'000 + n); }
};
struct NumberKeys {
  using Key = std::uint64_t;
  static Key key(std::uint64_t n) { return n << 30; }
};
struct VectorKeys {
  using Key = std::vector<std::uint64_t>;
  static Key key(std::uint64_t n) { return {n / 100, n % 100}; }
};

template <class Keys>
class TreeIndexBytes : public ::testing::Test {};
using KeyKinds = ::testing::Types<ByteKeys, NumberKeys, VectorKeys>;
TYPED_TEST_SUITE(TreeIndexBytes, KeyKinds);

TYPED_TEST(TreeIndexBytes, does_what_a_map_of_strings_does) {
  using Key = typename TypeParam::Key;
  TreeIndex<Key, Bytes> index;
  std::map<Key, std::string> map;
  std::mt19937_64 random(7);
  for (int step = 0; step < 20'000; ++step) {
    const Key key = TypeParam::key(random() % 500);
    const std::string value(random() % 40 == 0 ? 3000 : random() % 50, static_cast<char>(random()));
    switch (random() % 5) {
      case 0:
        EXPECT_EQ(index.insert(key, value), map.emplace(key, value).second);
        break;
      case 1:
        EXPECT_EQ(index.upsert(key, value), !map.insert_or_assign(key, value).second);
        break;
      case 2:
        EXPECT_EQ(index.remove(key), map.erase(key) == 1);
        break;
      case 3:
        EXPECT_EQ(index.update(key, [](std::string_view old) { return std::string(old) + "+"; }), map.contains(key));
        if (map.contains(key)) map[key] += "+";
        break;
      default: {
        const ebr::Barrier barrier;
        auto entry = index.entry(key, barrier);
        EXPECT_EQ(entry.is_occupied(), map.contains(key));
        if (entry.is_occupied()) {
          entry.and_modify([](std::string_view old) { return std::string(old.substr(old.size() / 2)); });
          map[key] = map[key].substr(map[key].size() / 2);
        }
        EXPECT_EQ(entry.or_insert(value), map.emplace(key, value).first->second);
      }
    }
    const std::optional<std::string> found = index.read(key, [](auto&&, std::string_view v) { return std::string(v); });
    EXPECT_EQ(found.has_value(), map.contains(key));
    if (found) {
      EXPECT_EQ(*found, map[key]);
    }
  }
  const ebr::Barrier barrier;
  auto expected = map.begin();
  for (auto [key, value] : index.iter(barrier)) {
    ASSERT_NE(expected, map.end());
    EXPECT_EQ(key, expected->first);
    EXPECT_EQ(value, expected->second);
    ++expected;
  }
  EXPECT_EQ(expected, map.end());
  EXPECT_TRUE(size_is_exact(index));
}

TYPED_TEST(TreeIndexBytes, keeps_empty_values_and_values_with_zero_bytes) {
  TreeIndex<typename TypeParam::Key, Bytes> index;
  const std::string zeros("a\0b\0", 4);
  EXPECT_TRUE(index.insert(TypeParam::key(1), ""));
  EXPECT_TRUE(index.insert(TypeParam::key(2), zeros));
  const ebr::Barrier barrier;
  EXPECT_EQ(index.peek(TypeParam::key(1), barrier), "");
  EXPECT_EQ(index.peek(TypeParam::key(2), barrier), zeros);
  EXPECT_EQ(index.peek(TypeParam::key(3), barrier), std::nullopt);
}

TYPED_TEST(TreeIndexBytes, shows_what_was_removed_until_the_barrier_ends) {
  TreeIndex<typename TypeParam::Key, Bytes> index;
  const std::string value(2000, 'x');
  for (std::uint64_t n = 0; n < 200; ++n) index.insert(TypeParam::key(n), value);
  {
    const ebr::Barrier barrier;
    const std::string_view shown = *index.peek(TypeParam::key(100), barrier);
    for (std::uint64_t n = 0; n < 200; ++n) EXPECT_TRUE(index.remove(TypeParam::key(n)));
    reclaim_all(100);
    EXPECT_EQ(shown, value);
  }
  EXPECT_TRUE(reclaim_all());
}

// A view of more bytes than there are: nothing may look at them.
TYPED_TEST(TreeIndexBytes, refuses_values_that_are_too_long) {
  TreeIndex<typename TypeParam::Key, Bytes> index;
  index.insert(TypeParam::key(1), "there");
  const std::string_view too_long("x", std::size_t{1} << 32);
  EXPECT_THROW(index.insert(TypeParam::key(2), too_long), std::length_error);
  EXPECT_THROW(index.upsert(TypeParam::key(1), too_long), std::length_error);
  EXPECT_EQ(index.len(), 1u);
  const ebr::Barrier barrier;
  EXPECT_EQ(index.peek(TypeParam::key(1), barrier), "there");
}

TEST(TreeIndexBytesKeys, refuses_keys_that_are_too_long) {
  TreeIndex<std::string, Bytes> index;
  EXPECT_THROW(index.insert(std::string_view("0123456789", std::size_t{1} << 31), "value"), std::length_error);
  EXPECT_TRUE(index.is_empty());
}

}  // namespace
}  // namespace scree::test
