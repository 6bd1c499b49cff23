// SPDX-License-Identifier: Apache-2.0
//
// HashMap, and what HashIndex shares with it, under concurrent work.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <scree/hash_index.h>
#include <scree/hash_map.h>
#include <scree/hash_set.h>
#include <scree/sync_point.h>

#include "hash_kinds.h"
#include "hash_resizes.h"
#include "index_concurrency_checks.h"
#include "map_as_index.h"
#include "run_threads.h"

namespace scree::test {
namespace {

TEST(HashMapConcurrency, histories_of_integers_are_linearizable) {
  check_histories_of_integers<MapAsIndex, Cell, true>({4, 8, 12, 16});
  check_histories_of_integers<MapAsIndex, std::int64_t, true>({4, 8, 12, 16});
}

TEST(HashMapConcurrency, histories_of_strings_are_linearizable) {
  const Jitter jitter;
  MapAsIndex<std::string, Cell> map;
  EXPECT_EQ(run_and_check({.keys = 8}, performer<std::string, Cell, true>(map)), std::nullopt);
}

TEST(HashMapConcurrency, histories_are_linearizable_in_one_bucket) {
  const Jitter jitter;
  MapAsIndex<std::uint64_t, Cell, OneHash> map;
  EXPECT_EQ(run_and_check({}, performer<std::uint64_t, Cell, true>(map)), std::nullopt);
}

// Many keys, so that the table grows under the recorded operations again and again.
TEST(HashMapConcurrency, histories_are_linearizable_while_the_table_grows) {
  check_histories_of_integers<MapAsIndex, Cell, true>({512, 512, 512, 512});
}

TEST(HashMapConcurrency, frees_everything_after_concurrent_work) {
  check_that_everything_is_freed_after_concurrent_work<MapAsIndex, std::uint64_t>();
}

TEST(HashMapConcurrency, inserts_of_one_key_by_many_threads_succeed_once) {
  constexpr std::size_t kKeys = 500;
  HashSet<std::string> set;
  Atomic<std::size_t> inserted{0};
  run_threads(4, [&](std::size_t) {
    for (std::uint64_t n = 0; n < kKeys; ++n) inserted += set.insert(numbered_key<std::string>(n)) ? 1 : 0;
  });
  EXPECT_EQ(inserted, kKeys);
  EXPECT_EQ(set.len(), kKeys);
}

// `increment(container, key, way)`: two threads in one of four ways, two in another, by turns.
template <class Container, class Increment>
void check_that_no_increment_is_lost(const Increment& increment) {
  constexpr std::size_t kThreads = 4;
  constexpr std::uint64_t kKeys = 8, kEach = 4'000;
  const Jitter jitter;
  Container container;
  run_threads(kThreads, [&](std::size_t t) {
    for (std::uint64_t n = 0; n < kEach; ++n) {
      increment(container, n % kKeys, (n / 64 + t / 2) % 4);
      // Others come and go in the same buckets, and the table grows and shrinks.
      if (n % 2 == 0) container.insert(1'000 * (t + 1) + n / 2 % 300, std::int64_t{-1});
      if (n % 2 == 1) container.remove(1'000 * (t + 1) + n / 2 % 300);
    }
  });
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    EXPECT_EQ(container.read(key, [](auto, const auto& value) { return std::int64_t{value}; }),
              static_cast<std::int64_t>(kThreads * kEach / kKeys));
  }
}

// Gives way in between, now and then.
template <class V>
void add_one(V& value) {
  const V next(value + 1);
  SCREE_SYNC_POINT("increment");
  value = next;
}

TEST(HashMapConcurrency, increments_are_not_lost) {
  const auto increment = [](auto& map, std::uint64_t key, std::size_t way) {
    const auto add = [](auto& value) { add_one(value); };
    switch (way) {
      case 0:
        while (!map.update(key, add)) map.insert(key, 0);
        break;
      case 1:
        map.entry(key).and_modify(add).or_insert(1);
        break;
      case 2:
        map.upsert(
            key, [] { return 1; }, add);
        break;
      default:
        auto entry = map.entry(key);
        add_one(entry.or_insert(0));
    }
  };
  check_that_no_increment_is_lost<HashMap<std::uint64_t, std::int64_t>>(increment);
  check_that_no_increment_is_lost<HashMap<std::uint64_t, Cell>>(increment);
  check_that_no_increment_is_lost<HashMap<std::uint64_t, std::int64_t, OneHash>>(increment);
}

TEST(HashIndexConcurrency, increments_by_updates_and_entries_are_not_lost) {
  const auto increment = [](auto& index, std::uint64_t key, std::size_t way) {
    using Value = typename std::remove_reference_t<decltype(index)>::mapped_type;
    const auto next = [](Value value) { return add_one(value), value; };
    switch (way) {
      case 0:
        while (!index.update(key, next)) index.insert(key, Value(0));
        break;
      case 1: {
        auto entry = index.entry(key);
        entry.replace(next(entry.or_insert(0)));
        break;
      }
      case 2: {
        auto entry = index.entry(key);
        if (entry) {
          const Value old = entry.value();
          entry.remove();
          // Others may come first now, and may go again.
          const ebr::Barrier barrier;
          const auto add = [&](const Value& value) { return Value(value + old + 1); };
          while (!index.find_or_insert(key, barrier, old + 1).second && !index.update(key, add)) {
          }
        } else {
          entry.or_insert(1);
        }
        break;
      }
      default:
        if (!index.modify(key,
                          [&](const Value& value) { return std::make_optional(std::make_optional(next(value))); })) {
          auto entry = index.entry(key);
          entry.replace(next(entry.or_insert_with([] { return Value(0); })));
        }
    }
  };
  check_that_no_increment_is_lost<HashIndex<std::uint64_t, std::int64_t>>(increment);
  check_that_no_increment_is_lost<HashIndex<std::uint64_t, Cell>>(increment);
}

template <class V, class F>
void check_iteration_beside_resizes(int waves, const F& iterate) {
  const Jitter jitter;
  MapAsIndex<std::uint64_t, V> by_integer;
  EXPECT_EQ((iterate_beside_resizes<std::uint64_t, V>(by_integer, waves, [&] { return iterate(by_integer.map()); })),
            std::nullopt);
  MapAsIndex<std::string, V> by_string;
  EXPECT_EQ((iterate_beside_resizes<std::string, V>(by_string, waves, [&] { return iterate(by_string.map()); })),
            std::nullopt);
}

// Its value must belong to it.
template <class Key, class V>
void add_number(std::vector<std::uint64_t>& numbers, const Key& key, const V& value) {
  const std::uint64_t number = number_of(key);
  numbers.push_back(std::int64_t{value} == static_cast<std::int64_t>(number) ? number : UINT64_MAX);
}

TEST(HashMapConcurrency, a_scan_shows_what_is_present_throughout_exactly_once) {
  check_iteration_beside_resizes<Cell>(6, [](auto& map) {
    std::vector<std::uint64_t> numbers;
    map.scan([&](const auto& key, const auto& value) { add_number(numbers, key, value); });
    return numbers;
  });
  check_iteration_beside_resizes<std::int64_t>(6, [](auto& map) {
    std::vector<std::uint64_t> numbers;
    map.for_each([&](const auto& key, auto& value) { add_number(numbers, key, value); });
    return numbers;
  });
}

TEST(HashMapConcurrency, handles_go_on_to_what_is_present_throughout_exactly_once) {
  check_iteration_beside_resizes<std::int64_t>(6, [](auto& map) {
    std::vector<std::uint64_t> numbers;
    auto entry = map.first_entry();
    if (!entry) return numbers;
    do add_number(numbers, entry.key(), entry.value());
    while (entry.next());
    return numbers;
  });
}

// It takes some of those out that come and go.
TEST(HashMapConcurrency, retain_asks_about_what_is_present_throughout_exactly_once) {
  check_iteration_beside_resizes<Cell>(6, [](auto& map) {
    std::vector<std::uint64_t> numbers;
    const auto [kept, removed] = map.retain([&](const auto& key, auto& value) {
      add_number(numbers, key, value);
      return numbers.back() < kStayInResizes || numbers.back() % 3 != 0;
    });
    EXPECT_EQ(kept + removed, numbers.size());
    return numbers;
  });
}

template <class K, class V>
void check_iterations_of_an_index_beside_resizes(int waves) {
  HashIndex<K, V> index;
  EXPECT_EQ((iterate_beside_resizes<K, V>(index, waves,
                                          [&] {
                                            const ebr::Barrier barrier;
                                            return numbers_in<V>(index.iter(barrier));
                                          })),
            std::nullopt);
  EXPECT_EQ((iterate_beside_resizes<K, V>(index, waves,
                                          [&] {
                                            std::vector<std::uint64_t> numbers;
                                            index.retain([&](const auto& key, const V& value) {
                                              add_number(numbers, key, value);
                                              return numbers.back() < kStayInResizes || numbers.back() % 3 != 0;
                                            });
                                            return numbers;
                                          })),
            std::nullopt);
}

TEST(HashIndexConcurrency, iterations_keep_their_promise_while_the_table_grows_and_shrinks) {
  const Jitter jitter;
  check_iterations_of_an_index_beside_resizes<std::uint64_t, std::int64_t>(6);
  check_iterations_of_an_index_beside_resizes<std::string, Cell>(6);
}

TEST(HashMapConcurrency, iteration_visits_nothing_twice_beside_clear) {
  const Jitter jitter;
  MapAsIndex<std::string, Cell> map;
  EXPECT_EQ((iterate_beside_writers<std::string, Cell>(
                map, 300, 8, Order::kNone, true,
                [&](const ebr::Barrier& barrier) { return numbers_in<Cell>(map.iter(barrier)); })),
            std::nullopt);
}

// The table shrinks within one iteration, from every place of it: buckets that were visited become one with others.
template <class Container, class Iterate>
void check_iteration_across_a_shrink_at_every_place(const Iterate& iterate) {
  constexpr std::uint64_t kKeys = 40, kOthers = 1'000;
  for (std::size_t place = 1; place <= kKeys; ++place) {
    Container container;
    IterationPromise promise;
    for (std::uint64_t n = 0; n < kKeys + kOthers; ++n) {
      container.insert(n, static_cast<std::int64_t>(n));
      (n < kKeys ? promise.present : promise.changing).insert(n);
    }
    const std::size_t large = container.capacity();
    std::vector<std::uint64_t> visited;
    iterate(container, [&](std::uint64_t key) {
      if (key < kKeys) visited.push_back(key);
      if (key >= kKeys || visited.size() != place) return;
      for (std::uint64_t n = kKeys; n < kKeys + kOthers; ++n) container.remove(n);
      for (std::uint64_t n = 0; n < kOthers; ++n) {
        container.insert(2'000, std::int64_t{0});
        container.remove(2'000);
      }
      EXPECT_LT(container.capacity(), large);
    });
    EXPECT_EQ(promise.violation(visited), std::nullopt) << "place " << place;
  }
}

TEST(HashIndexConcurrency, iteration_keeps_its_promise_across_a_shrink_at_every_place) {
  check_iteration_across_a_shrink_at_every_place<HashIndex<std::uint64_t, std::int64_t>>(
      [](auto& index, const auto& at) {
        const ebr::Barrier barrier;
        for (auto [key, value] : index.iter(barrier)) at(key);
      });
}

#if SCREE_SYNC_POINTS

// The stopped thread may hold one bucket, or those that become one; whatever is in others is read, changed, inserted
// and removed meanwhile. `first` to `end`: keys that are there.
template <class Container>
void check_that_others_go_on(Container& container, std::uint64_t first, std::uint64_t end) {
  const auto refuses = [&](std::uint64_t n, bool present) {
    const auto entry = container.try_entry(n);
    if (entry) {
      EXPECT_EQ(entry->is_occupied(), present) << n;
    }
    return !entry.has_value();
  };
  std::size_t refused = 0;
  for (std::uint64_t n = first; n < end; ++n) {
    if (refuses(n, true)) {
      ++refused;
      continue;
    }
    EXPECT_TRUE(container.contains(n)) << n;
    EXPECT_TRUE(container.update(n, [](std::int64_t value) { return value; })) << n;
    EXPECT_EQ(container.read(n, [](auto, std::int64_t value) { return value; }), static_cast<std::int64_t>(n));
  }
  EXPECT_LE(4 * refused, end - first);
  refused = 0;
  constexpr std::uint64_t kFresh = 100'000, kOthers = 1'000;
  for (std::uint64_t n = kFresh; n < kFresh + kOthers; ++n) {
    if (refuses(n, false)) {
      ++refused;
      continue;
    }
    EXPECT_TRUE(container.insert(n, std::int64_t{1})) << n;
    EXPECT_TRUE(container.contains(n)) << n;
    EXPECT_TRUE(container.remove(n)) << n;
  }
  EXPECT_LE(4 * refused, kOthers);
}

template <class Container>
void check_beside_a_growth(const char* point) {
  constexpr std::uint64_t kKeys = 3'000;
  Container container(200);
  Atomic<std::uint64_t> inserted{0};
  WaitingThread writer([&](auto pause) {
    const StopAt stop(point, pause);
    for (std::uint64_t n = 0; n < kKeys; ++n) {
      container.insert(n, static_cast<std::int64_t>(n));
      inserted = n + 1;
    }
  });
  ASSERT_TRUE(writer.is_paused()) << point;
  check_that_others_go_on(container, 0, inserted);
  writer.finish();
  EXPECT_EQ(container.len(), kKeys);
}

template <class Container>
void check_beside_a_shrink(const char* point) {
  constexpr std::uint64_t kKeys = 3'000;
  Container container;
  for (std::uint64_t n = 0; n < kKeys; ++n) container.insert(n, static_cast<std::int64_t>(n));
  // Until the growth is over.
  for (std::uint64_t n = 0; n < 2 * kKeys; ++n) {
    container.insert(kKeys, std::int64_t{0});
    container.remove(kKeys);
  }
  const std::size_t large = container.capacity();
  Atomic<std::uint64_t> removed{0};
  WaitingThread writer([&](auto pause) {
    const StopAt stop(point, pause);
    for (std::uint64_t n = 0; n < kKeys; ++n) {
      removed = n + 1;
      container.remove(n);
    }
  });
  ASSERT_TRUE(writer.is_paused()) << point;
  if (std::string_view(point) != "hash:resize:chosen") {
    EXPECT_LT(container.capacity(), large);
  }
  check_that_others_go_on(container, removed, kKeys);
  writer.finish();
  EXPECT_TRUE(container.is_empty());
}

class HashStoppedAt : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Of, HashStoppedAt,
                         testing::Values("hash:resize:chosen", "hash:resize:published", "hash:move:copied"),
                         [](const auto& of) { return std::string(of.param).substr(of.index == 2 ? 10 : 12); });

TEST_P(HashStoppedAt, a_growth_keeps_nobody_waiting) {
  check_beside_a_growth<MapAsIndex<std::uint64_t, std::int64_t>>(GetParam());
  check_beside_a_growth<HashIndex<std::uint64_t, std::int64_t>>(GetParam());
}
TEST_P(HashStoppedAt, a_shrink_keeps_nobody_waiting) {
  check_beside_a_shrink<MapAsIndex<std::uint64_t, std::int64_t>>(GetParam());
  check_beside_a_shrink<HashIndex<std::uint64_t, std::int64_t>>(GetParam());
}

#endif

}  // namespace
}  // namespace scree::test
