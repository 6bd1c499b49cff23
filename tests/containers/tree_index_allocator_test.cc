// SPDX-License-Identifier: Apache-2.0
//
// TreeIndex with allocators of the user's: all that it allocates comes from there and goes back there, and
// memory_usage() is what has not gone back.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <memory_resource>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <scree/bytes.h>
#include <scree/tree_index.h>

#include "index_configs.h"
#include "jitter.h"
#include "reclaim.h"
#include "run_threads.h"
#include "support/tree_walk.h"
#include "tracked_memory.h"
#include "tree_index_async.h"

namespace scree::test {
namespace {

// Some are so large that their key does not stay for the sake of its leaf.
struct StringsToBytes {
  using Key = std::string;
  using Value = Bytes;
  static std::string key(std::uint64_t i) { return Strings::key(i); }
  static std::string value(std::uint64_t i) { return std::string(i % 8 == 0 ? 2000 : i % 50, 'v') + std::to_string(i); }
};

template <class Config>
using Values = std::map<typename Config::Key, decltype(Config::value(0))>;

// The same as a std::map and as a TreeIndex do it.
struct Operation {
  enum Kind {
    kInsert,
    kUpsert,
    kUpdate,
    kRemove,
    kRemoveIf,
    kReplaceByHandle,
    kInsertByHandle,
    kRemoveByHandle,
    kPopFirst,
    kPopLast,
    kRemoveRange,
    kAssign,
    kClear
  };

  static Operation random(std::mt19937_64& source, std::uint64_t keys, bool grows) {
    Operation made{kInsert, source() % keys, source() % keys};
    if (const std::uint64_t rare = source() % 400; rare < 6) {
      made.kind = rare < 4 ? kRemoveRange : rare == 4 ? kAssign : kClear;
    } else if (const std::uint64_t choice = source() % 16; choice < 8) {
      made.kind = grows ? kInsert : kRemove;
    } else {
      made.kind = static_cast<Kind>(choice - 7 + kInsert);
    }
    return made;
  }

  // How many entries it changed, if it says so.
  template <class Config, class Index>
  std::size_t run(Index& index) const {
    const auto of_key = Config::key(key);
    const auto value = Config::value(other);
    const ebr::Barrier barrier;
    switch (kind) {
      case kInsert:
        return index.insert(of_key, value);
      case kUpsert:
        return index.upsert(of_key, value);
      case kUpdate:
        return index.update(of_key, [&](const auto&) { return value; });
      case kRemove:
        return index.remove(of_key);
      case kRemoveIf:
        return index.remove_if(of_key, [](const auto&) { return true; });
      case kReplaceByHandle:
        return index.entry(of_key, barrier).replace(value);
      case kInsertByHandle:
        index.entry(of_key, barrier).or_insert(value);
        return 1;
      case kRemoveByHandle:
        return index.entry(of_key, barrier).remove();
      case kPopFirst:
        return index.pop_first(barrier).has_value();
      case kPopLast:
        return index.pop_last(barrier).has_value();
      case kRemoveRange:
        return index.remove_range(included(of_key), excluded(Config::key(end())));
      case kAssign: {
        std::vector<std::pair<typename Config::Key, decltype(Config::value(0))>> sorted;
        for (std::uint64_t n = 0; n < key; ++n) sorted.emplace_back(Config::key(n), Config::value(n + other));
        index.assign_sorted(sorted);
        return 0;
      }
      case kClear:
        index.clear();
        return 0;
    }
    return 0;
  }
  template <class Config>
  std::size_t run(Values<Config>& model) const {
    const auto of_key = Config::key(key);
    const auto value = Config::value(other);
    const auto found = model.find(of_key);
    const bool present = found != model.end();
    switch (kind) {
      case kInsert:
        return model.emplace(of_key, value).second;
      case kUpsert:
        model.insert_or_assign(of_key, value);
        return present;
      case kUpdate:
        if (present) found->second = value;
        return present;
      case kRemove:
      case kRemoveIf:
      case kRemoveByHandle:
        return model.erase(of_key);
      case kReplaceByHandle:
        model.insert_or_assign(of_key, value);
        return 1;
      case kInsertByHandle:
        model.emplace(of_key, value);
        return 1;
      case kPopFirst:
        if (model.empty()) return 0;
        model.erase(model.begin());
        return 1;
      case kPopLast:
        if (model.empty()) return 0;
        model.erase(std::prev(model.end()));
        return 1;
      case kRemoveRange: {
        const auto begin = model.lower_bound(of_key), last = model.lower_bound(Config::key(end()));
        const auto count = static_cast<std::size_t>(std::distance(begin, last));
        model.erase(begin, last);
        return count;
      }
      case kAssign:
        model.clear();
        for (std::uint64_t n = 0; n < key; ++n) model.emplace(Config::key(n), Config::value(n + other));
        return 0;
      case kClear:
        model.clear();
        return 0;
    }
    return 0;
  }

  std::uint64_t end() const { return key + other / 2; }

  Kind kind;
  std::uint64_t key, other;
};

template <class Config, class Index>
Values<Config> contents(const Index& index) {
  Values<Config> entries;
  const ebr::Barrier barrier;
  for (auto [key, value] : index.iter(barrier)) {
    entries.emplace_hint(entries.end(), typename Config::Key(key), decltype(Config::value(0))(value));
  }
  return entries;
}

// It grows and shrinks by turns.
template <class Config, class Index>
void check_random_work(Index& index, const TrackedMemory& memory, std::uint64_t keys, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Values<Config> model;
  for (int wave = 0; wave < 6; ++wave) {
    for (std::uint64_t n = 0; n < 3 * keys; ++n) {
      const auto operation = Operation::random(random, keys, wave % 2 == 0);
      ASSERT_EQ(operation.run<Config>(index), operation.run<Config>(model)) << operation.kind;
    }
    ASSERT_EQ(contents<Config>(index), model);
    EXPECT_TRUE(size_is_exact(index));
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(memory.outstanding(), index.memory_usage());
  }
}

template <class Config>
class TreeIndexAllocator : public testing::Test {
 public:
  template <template <class> class Allocator>
  using Index = TreeIndex<typename Config::Key, typename Config::Value, std::less<>,
                          Allocator<std::pair<const typename Config::Key, typename Config::Value>>>;
  using Tracking = Index<TrackingAllocator>;
};
using Configs = testing::Types<Integers, IntegersToStrings, Strings, StringsToPairs, StringsToBytes, Vectors>;
TYPED_TEST_SUITE(TreeIndexAllocator, Configs);

TYPED_TEST(TreeIndexAllocator, has_all_that_the_index_uses_and_gets_it_back) {
  TrackedMemory memory;
  for (const std::uint64_t keys : {20, 300, 3000}) {
    EXPECT_TRUE(reclaim_all());
    typename TestFixture::Tracking index{TrackingAllocator<int>(memory)};
    EXPECT_EQ(memory.outstanding(), index.memory_usage());
    check_random_work<TypeParam>(index, memory, keys, keys);
    EXPECT_TRUE(index.get_allocator() == TrackingAllocator<int>(memory));
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(memory.outstanding(), 0u);
}

TYPED_TEST(TreeIndexAllocator, may_be_polymorphic) {
  TrackedMemory memory;
  {
    typename TestFixture::template Index<std::pmr::polymorphic_allocator> index(&memory);
    check_random_work<TypeParam>(index, memory, 1000, 1);
    EXPECT_EQ(index.get_allocator().resource(), &memory);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(memory.outstanding(), 0u);
}

TYPED_TEST(TreeIndexAllocator, may_be_without_state) {
  TrackedMemory& memory = stateless_memory();
  {
    typename TestFixture::template Index<StatelessAllocator> index;
    check_random_work<TypeParam>(index, memory, 1000, 2);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(memory.outstanding(), 0u);
}

// Each allocation of each operation fails in turn.
TYPED_TEST(TreeIndexAllocator, that_fails_leaves_everything_as_it_was) {
  TrackedMemory memory;
  std::size_t failures = 0;
  {
    typename TestFixture::Tracking index{TrackingAllocator<int>(memory)};
    Values<TypeParam> model;
    std::mt19937_64 random(3);
    for (int n = 0; n < 3000; ++n) {
      const auto operation = Operation::random(random, 300, n / 500 % 2 == 0);
      for (std::size_t step = 1;; ++step) {
        ASSERT_LT(step, 1000u);
        memory.fail_at(step);
        std::optional<std::size_t> changed;
        try {
          changed = operation.run<TypeParam>(index);
        } catch (const std::bad_alloc&) {
          ++failures;
        }
        memory.fail_at(0);
        if (changed) {
          const std::size_t expected = operation.run<TypeParam>(model);
          EXPECT_TRUE(changed == expected || (operation.kind == Operation::kRemoveRange && step != 1));
        }
        // A range may have been removed in part.
        if (changed || operation.kind != Operation::kRemoveRange) {
          ASSERT_EQ(contents<TypeParam>(index), model) << operation.kind;
        }
        ASSERT_TRUE(size_is_exact(index));
        if (changed) break;
      }
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(memory.outstanding(), index.memory_usage());
    EXPECT_GT(failures, 100u);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(memory.outstanding(), 0u);
}

TYPED_TEST(TreeIndexAllocator, that_fails_makes_no_index) {
  TrackedMemory memory;
  std::vector<std::pair<typename TypeParam::Key, decltype(TypeParam::value(0))>> sorted;
  for (std::uint64_t n = 0; n < 1000; ++n) sorted.emplace_back(TypeParam::key(n), TypeParam::value(n));
  std::size_t step = 1;
  for (bool made = false; !made; step += 7) {
    memory.fail_at(step);
    try {
      const auto index = TestFixture::Tracking::from_sorted(sorted, std::less<>(),
                                                            typename TestFixture::Tracking::allocator_type(memory));
      EXPECT_EQ(index.len(), sorted.size());
      made = true;
    } catch (const std::bad_alloc&) {
      EXPECT_TRUE(reclaim_all());
      ASSERT_EQ(memory.outstanding(), 0u);
    }
    memory.fail_at(0);
  }
  EXPECT_GT(step, 20u);
  EXPECT_TRUE(reclaim_all());
}

TYPED_TEST(TreeIndexAllocator, keeps_what_is_read_when_the_index_has_gone) {
  TrackedMemory memory;
  {
    const ebr::Barrier barrier;
    std::vector<typename TestFixture::Tracking::reference> held;
    {
      typename TestFixture::Tracking index{TrackingAllocator<int>(memory)};
      for (std::uint64_t n = 0; n < 1000; ++n) index.insert(TypeParam::key(n), TypeParam::value(n));
      for (const auto& entry : index.iter(barrier)) held.push_back(entry);
    }
    reclaim_all(100);
    for (std::uint64_t n = 0; n < 1000; ++n) {
      EXPECT_EQ(typename TypeParam::Key(held[n].first), TypeParam::key(n));
      EXPECT_EQ(held[n].second, TypeParam::value(n));
    }
    EXPECT_NE(memory.outstanding(), 0u);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(memory.outstanding(), 0u);
}

TYPED_TEST(TreeIndexAllocator, serves_threads_at_once) {
  const Jitter jitter;
  TrackedMemory memory;
  {
    typename TestFixture::Tracking index{TrackingAllocator<int>(memory)};
    run_threads(4, [&](std::size_t t) {
      std::mt19937_64 random(t);
      for (std::uint64_t n = 0; n < 4000; ++n) {
        Operation operation = Operation::random(random, 500, n / 1000 % 2 == 0);
        if (operation.kind == Operation::kClear && random() % 8 != 0) operation.kind = Operation::kInsert;
        operation.run<TypeParam>(index);
      }
    });
    EXPECT_TRUE(size_is_exact(index));
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(memory.outstanding(), index.memory_usage());
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(memory.outstanding(), 0u);
}

// Nodes take what they take without an allocator.
TEST(TreeIndexAllocatorBytes, adds_nothing_to_nodes_where_it_has_no_state) {
  TreeIndex<std::uint64_t, std::uint64_t> plain;
  TreeIndex<std::uint64_t, std::uint64_t, std::less<>,
            StatelessAllocator<std::pair<const std::uint64_t, std::uint64_t>>>
      custom;
  for (std::uint64_t n = 0; n < 5000; ++n) {
    plain.insert(n * 7919 % 5000, n);
    custom.insert(n * 7919 % 5000, n);
  }
  EXPECT_EQ(custom.memory_usage(), plain.memory_usage());
  static_assert(sizeof(custom) == sizeof(plain));
}

// Keys and values of every alignment come where they belong.
struct alignas(128) Wide {
  explicit Wide(int n) : number(n) { EXPECT_EQ(reinterpret_cast<std::uintptr_t>(this) % 128, 0u); }
  Wide(const Wide& other) : Wide(other.number) {}
  Wide& operator=(const Wide& other) = default;
  friend bool operator<(const Wide& a, const Wide& b) { return a.number < b.number; }
  int number;
};
template <class K>
void check_alignment(K (*key)(int)) {
  TrackedMemory memory;
  {
    TreeIndex<K, Wide, std::less<>, TrackingAllocator<std::pair<const K, Wide>>> index{TrackingAllocator<int>(memory)};
    for (int n = 0; n < 500; ++n) index.insert(key(n), Wide(n));
    for (int n = 0; n < 250; ++n) index.remove(key(n * 2));
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(memory.outstanding(), index.memory_usage());
  }
  EXPECT_TRUE(reclaim_all());
}
TEST(TreeIndexAllocatorBytes, aligns_entries_and_separators) {
  check_alignment<Wide>([](int n) { return Wide(n); });
  check_alignment<std::string>([](int n) { return std::to_string(n); });
}

#if SCREE_SYNC_POINTS
// A coroutine that waits for a node's lock keeps the node, which goes when the coroutine is destroyed: by a thread that
// has never used an index.
TEST(TreeIndexAllocatorNodes, are_freed_by_whoever_lets_go_of_them_last) {
  using Index = TreeIndex<std::uint64_t, std::int64_t, std::less<>,
                          TrackingAllocator<std::pair<const std::uint64_t, std::int64_t>>>;
  TrackedMemory memory;
  for (const Stop& stop : kStops) {
    Collects hook;
    std::vector<Coroutine> coroutines;
    {
      Index index{TrackingAllocator<int>(memory)};
      fill(index, stop.entries);
      {
        WaitingThread writer([&](auto pause) {
          const StopAt at(stop.point, pause);
          stop.run(index);
        });
        ASSERT_TRUE(writer.is_paused());
        const ResumeScope scope(hook);
        for (std::uint64_t n = stop.first; n < stop.end; ++n) {
          coroutines.push_back(
              [](Index& of, std::uint64_t key) -> Coroutine { co_await of.insert_async(key, -1); }(index, n * 10 + 2));
        }
        index.clear();
      }
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_NE(memory.outstanding(), 0u);
    std::thread([&] { coroutines.clear(); }).join();
    EXPECT_EQ(memory.outstanding(), 0u);
  }
}
#endif

}  // namespace
}  // namespace scree::test
