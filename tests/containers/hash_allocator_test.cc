// SPDX-License-Identifier: Apache-2.0
//
// Hash containers with allocators of the user's: all that they allocate comes from there and goes back there, and
// memory_usage() is what has not gone back, and the object itself.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory_resource>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <scree/hash_index.h>
#include <scree/hash_map.h>
#include <scree/hash_set.h>

#include "hash_kinds.h"
#include "index_configs.h"
#include "jitter.h"
#include "map_as_index.h"
#include "reclaim.h"
#include "run_threads.h"
#include "tracked_memory.h"

namespace scree::test {
namespace {

template <class K>
struct HashOf : Hash<K> {};
template <>
struct HashOf<std::vector<std::uint64_t>> : HashOfVector {};

struct AsIndex {
  template <class K, class V, template <class> class Allocator>
  using Of = HashIndex<K, V, HashOf<K>, std::equal_to<>, Allocator<std::pair<const K, V>>>;
};
struct AsMap {
  template <class K, class V, template <class> class Allocator>
  using Of = MapAsIndex<K, V, HashOf<K>, std::equal_to<>, Allocator<std::pair<const K, V>>>;
};
template <class C, class Container>
struct Kind : C {
  template <template <class> class Allocator>
  using Of = typename Container::template Of<typename C::Key, typename C::Value, Allocator>;
};

// One random change, which more often adds than removes if it `grows`.
template <class Config>
void change(auto& container, std::mt19937_64& random, std::uint64_t keys, bool grows) {
  const auto key = Config::key(random() % keys);
  const auto value = Config::value(random() % keys);
  switch (random() % 16) {
    case 0:
      container.upsert(key, value);
      break;
    case 1:
      container.update(key, [&](const auto&) { return value; });
      break;
    case 2:
      if (auto entry = container.try_entry(key)) entry->or_insert(value);
      break;
    case 3:
      if (auto entry = container.try_entry(key); entry && entry->is_occupied()) entry->remove();
      break;
    case 4:
      if (random() % 64 == 0) container.retain([&](const auto&, const auto&) { return random() % 4 != 0; });
      break;
    case 5:
      if (random() % 256 == 0) container.clear();
      break;
    case 6: {
      const auto room = container.reserve(random() % (2 * keys));
      container.insert(key, value);
      break;
    }
    default:
      if (grows) {
        container.insert(key, value);
      } else {
        container.remove(key);
      }
  }
}

// It grows and shrinks by turns.
template <class Config>
void check_random_work(auto& container, const TrackedMemory& memory, std::uint64_t keys, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (int wave = 0; wave < 6; ++wave) {
    for (std::uint64_t n = 0; n < 3 * keys; ++n) change<Config>(container, random, keys, wave % 2 == 0);
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(memory.outstanding() + sizeof(container), container.memory_usage());
  }
}

template <class Config>
class HashAllocator : public testing::Test {};
using Configs = testing::Types<Kind<Integers, AsIndex>, Kind<IntegersToStrings, AsIndex>, Kind<Strings, AsIndex>,
                               Kind<Vectors, AsIndex>, Kind<Integers, AsMap>, Kind<IntegersToStrings, AsMap>,
                               Kind<Strings, AsMap>, Kind<Vectors, AsMap>>;
TYPED_TEST_SUITE(HashAllocator, Configs);

TYPED_TEST(HashAllocator, has_all_that_the_container_uses_and_gets_it_back) {
  TrackedMemory memory;
  for (const std::uint64_t keys : {20, 300, 3000}) {
    EXPECT_TRUE(reclaim_all());
    typename TypeParam::template Of<TrackingAllocator> container{TrackingAllocator<int>(memory)};
    EXPECT_EQ(memory.outstanding() + sizeof(container), container.memory_usage());
    check_random_work<TypeParam>(container, memory, keys, keys);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(memory.outstanding(), 0u);
}

TYPED_TEST(HashAllocator, may_be_polymorphic) {
  TrackedMemory memory;
  {
    typename TypeParam::template Of<std::pmr::polymorphic_allocator> container(&memory);
    check_random_work<TypeParam>(container, memory, 500, 1);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(memory.outstanding(), 0u);
}

TYPED_TEST(HashAllocator, may_be_without_state) {
  TrackedMemory& memory = stateless_memory();
  {
    typename TypeParam::template Of<StatelessAllocator> container;
    check_random_work<TypeParam>(container, memory, 500, 2);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(memory.outstanding(), 0u);
}

TYPED_TEST(HashAllocator, serves_threads_at_once) {
  const Jitter jitter;
  TrackedMemory memory;
  {
    typename TypeParam::template Of<TrackingAllocator> container{TrackingAllocator<int>(memory)};
    run_threads(4, [&](std::size_t t) {
      std::mt19937_64 random(t);
      for (std::uint64_t n = 0; n < 3000; ++n) change<TypeParam>(container, random, 500, n / 1000 % 2 == 0);
    });
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(memory.outstanding() + sizeof(container), container.memory_usage());
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(memory.outstanding(), 0u);
}

// Memory that is refused, as for tables that are too large, changes nothing.
TEST(HashAllocatorReserve, leaves_everything_as_it_was_where_there_is_no_memory) {
  TrackedMemory memory;
  {
    using Map = HashMap<std::string, int, Hash<std::string>, std::equal_to<>,
                        std::pmr::polymorphic_allocator<std::pair<const std::string, int>>>;
    Map map(&memory);
    for (int n = 0; n < 100; ++n) map.insert(std::to_string(n), n);
    EXPECT_TRUE(reclaim_all());
    const std::size_t capacity = map.capacity(), before = memory.outstanding();
    for (std::size_t step = 1; step <= 3; ++step) {  // the table, its buckets, its slots
      memory.fail_at(step);
      EXPECT_THROW(static_cast<void>(map.reserve(10'000)), std::bad_alloc);
      memory.fail_at(step);
      EXPECT_THROW(Map(10'000, Hash<std::string>(), std::equal_to<>(), &memory), std::bad_alloc);
    }
    memory.fail_at(0);
    EXPECT_EQ(map.capacity(), capacity);
    EXPECT_EQ(memory.outstanding(), before);
    EXPECT_EQ(map.get_allocator().resource(), &memory);
  }
  EXPECT_TRUE(reclaim_all());
}

TEST(HashAllocatorSet, has_all_that_the_set_uses) {
  TrackedMemory memory;
  {
    HashSet<std::string, Hash<std::string>, std::equal_to<>, TrackingAllocator<std::string>> set{
        TrackingAllocator<std::string>(memory)};
    for (int n = 0; n < 3'000; ++n) set.insert(std::to_string(n));
    for (int n = 0; n < 3'000; n += 2) set.remove(std::to_string(n));
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(memory.outstanding() + sizeof(set), set.memory_usage());
    EXPECT_TRUE(set.get_allocator() == TrackingAllocator<std::string>(memory));
  }
  EXPECT_TRUE(reclaim_all());
}

// Keys and values of every alignment come where they belong.
struct alignas(128) Wide {
  explicit Wide(int n) : number(n) { EXPECT_EQ(reinterpret_cast<std::uintptr_t>(this) % 128, 0u); }
  Wide(const Wide& other) : Wide(other.number) {}
  Wide& operator=(const Wide& other) = default;
  int number;
};
TEST(HashAllocatorBytes, aligns_entries) {
  TrackedMemory memory;
  {
    HashMap<std::string, Wide, Hash<std::string>, std::equal_to<>,
            TrackingAllocator<std::pair<const std::string, Wide>>>
        map{TrackingAllocator<int>(memory)};
    for (int n = 0; n < 500; ++n) map.insert(std::to_string(n), Wide(n));
    for (int n = 0; n < 250; ++n) EXPECT_EQ(map.remove(std::to_string(2 * n))->second.number, 2 * n);
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(memory.outstanding() + sizeof(map), map.memory_usage());
  }
  EXPECT_TRUE(reclaim_all());
}

}  // namespace
}  // namespace scree::test
