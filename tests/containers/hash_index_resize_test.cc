// SPDX-License-Identifier: Apache-2.0
//
// How the table under HashIndex grows, shrinks, and uses slots again.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <scree/hash_index.h>

#include "hash_kinds.h"
#include "reclaim.h"

namespace scree::test {
namespace {

using Numbers = HashIndex<std::uint64_t, std::uint64_t>;
#if SCREE_SMALL_CAPACITIES
constexpr std::uint64_t kMany = 5'000;
#else
constexpr std::uint64_t kMany = 200'000;
#endif

TEST(HashIndexResize, follows_the_number_of_entries_up_and_down) {
  Numbers index;
  const std::size_t empty = index.memory_usage();
  for (std::uint64_t n = 0; n < kMany; ++n) {
    ASSERT_TRUE(index.insert(n, n));
    if (n > 100) {
      ASSERT_LE(index.capacity(), 5 * n) << n;
    }
  }
  EXPECT_GE(index.capacity(), kMany);
  for (std::uint64_t n = 0; n < kMany; ++n) ASSERT_EQ(index.read(n, [](auto, auto value) { return value; }), n);
  for (std::uint64_t n = 0; n < kMany; ++n) ASSERT_TRUE(index.remove(n));
  EXPECT_TRUE(index.is_empty());
  // What is left of moving is done by the next changes.
  for (std::uint64_t n = 0; n < 2 * kMany; ++n) {
    index.insert(n % 4, n);
    index.remove(n % 4);
  }
  EXPECT_LE(index.capacity(), 64u);
  EXPECT_LE(index.memory_usage(), empty + 16'384);
}

// The slots of what was removed serve again, though no table takes the place of this one.
TEST(HashIndexResize, uses_slots_again_without_a_resize) {
  Numbers index;
  for (std::uint64_t n = 0; n < 10; ++n) index.insert(n, n);
  for (std::uint64_t n = 0; n < kMany; ++n) {
    ASSERT_TRUE(index.remove(n));
    ASSERT_TRUE(index.insert(n + 10, n));
  }
  EXPECT_EQ(index.len(), 10u);
  EXPECT_LE(index.memory_usage(), sizeof(index) + 32'768);
}

// An update of an entry in its slot needs another slot.
TEST(HashIndexResize, takes_bounded_memory_for_a_key_that_is_updated_again_and_again) {
  Numbers index;
  index.insert(1u, 0u);
  for (std::uint64_t n = 0; n < kMany; ++n)
    ASSERT_TRUE(index.update(1u, [](std::uint64_t value) { return value + 1; }));
  EXPECT_EQ(index.read(1u, [](auto, auto value) { return value; }), kMany);
  EXPECT_EQ(index.len(), 1u);
  EXPECT_LE(index.memory_usage(), sizeof(index) + 32'768);
}

// While a barrier holds back the slots of what was removed, others serve.
TEST(HashIndexResize, goes_on_beside_a_barrier_that_does_not_end) {
  Numbers index;
  index.insert(1u, 7u);
  const ebr::Barrier barrier;
  const std::uint64_t* const value = index.peek(1u, barrier);
  ASSERT_NE(value, nullptr);
  for (std::uint64_t n = 0; n < 3'000; ++n) {
    ASSERT_TRUE(index.remove(1 + n));
    ASSERT_TRUE(index.insert(2 + n, n));
  }
  EXPECT_EQ(*value, 7u);
  EXPECT_EQ(index.len(), 1u);
}

TEST(HashIndexResize, stays_right_where_all_hashes_are_equal) {
  constexpr std::uint64_t kKeys = 1'000;
  HashIndex<std::uint64_t, std::uint64_t, OneHash> index;
  for (std::uint64_t n = 0; n < kKeys; ++n) ASSERT_TRUE(index.insert(n, n));
  for (std::uint64_t n = 0; n < kKeys; ++n) ASSERT_FALSE(index.insert(n, n));
  for (std::uint64_t n = 0; n < kKeys; n += 2) ASSERT_TRUE(index.remove(n));
  for (std::uint64_t n = 0; n < kKeys; ++n) ASSERT_EQ(index.contains(n), n % 2 == 1);
  EXPECT_EQ(index.len(), kKeys / 2);
}

TEST(HashIndex, read_batch_finds_what_reads_find) {
  Numbers index;
  for (std::uint64_t n = 0; n < 1'000; n += 2) index.insert(n, 2 * n);
  std::vector<std::uint64_t> keys;
  for (std::uint64_t n = 0; n < 1'000; ++n) keys.push_back(n * 7 % 1'000);
  for (const std::size_t many : {0u, 1u, 15u, 16u, 17u, 1'000u}) {
    std::size_t found = 0, expected = 0;
    for (std::size_t i = 0; i < many; ++i) expected += keys[i] % 2 == 0 ? 1 : 0;
    const std::size_t result = index.read_batch(std::span<const std::uint64_t>(keys.data(), many),
                                                [&](std::size_t i, std::uint64_t key, std::uint64_t value) {
                                                  EXPECT_EQ(key, keys[i]);
                                                  EXPECT_EQ(value, 2 * key);
                                                  ++found;
                                                });
    EXPECT_EQ(result, expected);
    EXPECT_EQ(found, expected);
  }
}

TEST(HashIndex, update_replaces_the_value_and_readers_keep_the_old_one) {
  HashIndex<std::string, std::string> index;
  EXPECT_FALSE(index.update("a", [](const std::string& value) { return value + "!"; }));
  index.insert("a", "old");
  const ebr::Barrier barrier;
  const std::string* const old = index.peek("a", barrier);
  EXPECT_TRUE(index.update("a", [](const std::string& value) { return value + "er"; }));
  EXPECT_EQ(*index.peek("a", barrier), "older");
  EXPECT_EQ(*old, "old");
}

}  // namespace
}  // namespace scree::test
