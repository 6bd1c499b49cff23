// SPDX-License-Identifier: Apache-2.0
//
// len() and memory_usage() beside a walk through the tree.

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include <scree/tree_index.h>

#include "index_configs.h"
#include "jitter.h"
#include "support/tree_walk.h"

namespace scree::test {
namespace {

template <class Config>
class TreeIndexSize : public testing::Test {
 public:
  using Index = TreeIndex<typename Config::Key, typename Config::Value>;

  // In waves, so that the tree grows and shrinks.
  static void write(Index& index, std::uint64_t keys, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (std::uint64_t n = 0; n < 8 * keys; ++n) {
      const auto key = Config::key(random() % keys);
      const auto value = Config::value(random() % keys);
      const std::uint64_t choice = random() % 8;
      if (choice == 0) {
        index.upsert(key, value);
      } else if ((choice < 6) == (n / keys % 2 == 0)) {
        index.insert(key, value);
      } else {
        index.remove(key);
      }
    }
  }
};

using Configs = testing::Types<Integers, IntegersToStrings, Strings, Vectors>;
TYPED_TEST_SUITE(TreeIndexSize, Configs);

TYPED_TEST(TreeIndexSize, is_exact_after_random_work) {
  typename TestFixture::Index index;
  EXPECT_TRUE(size_is_exact(index));
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    TestFixture::write(index, 1 << (2 + seed), seed);
    EXPECT_TRUE(size_is_exact(index)) << "seed " << seed;
    if (seed % 4 == 3) {
      index.clear();
      EXPECT_TRUE(size_is_exact(index));
      EXPECT_EQ(index.len(), 0u);
    }
  }
}

TYPED_TEST(TreeIndexSize, is_exact_after_concurrent_work) {
  const Jitter jitter;
  typename TestFixture::Index index;
  for (std::uint64_t round = 0; round < 4; ++round) {
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] { TestFixture::write(index, 300, 10 * round + t); });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(size_is_exact(index)) << "round " << round;
  }
}

TYPED_TEST(TreeIndexSize, is_small_when_everything_is_removed) {
  using Config = TypeParam;
  typename TestFixture::Index index;
  constexpr std::uint64_t kKeys = 20'000;
  for (std::uint64_t n = 0; n < kKeys; ++n) index.insert(Config::key(n * 7919 % kKeys), Config::value(n));
  const std::size_t full = index.memory_usage();
  EXPECT_GE(full, kKeys * (sizeof(typename Config::Key) + sizeof(typename Config::Value)));
  for (std::uint64_t n = 0; n < kKeys; ++n) index.remove(Config::key(n * 7907 % kKeys));
  EXPECT_EQ(index.len(), 0u);
  EXPECT_LE(index.memory_usage(), full / 100);
  EXPECT_TRUE(size_is_exact(index));
}

}  // namespace
}  // namespace scree::test
