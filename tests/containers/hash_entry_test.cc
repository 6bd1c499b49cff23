// SPDX-License-Identifier: Apache-2.0
//
// Handles of the entries of HashIndex and HashMap: what they show and change, and whom they keep out meanwhile. And
// what else HashIndex has beside what all indexes have.

#include <scree/hash_entry.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <scree/hash_index.h>
#include <scree/hash_map.h>
#include <scree/hash_set.h>

#include "hash_kinds.h"
#include "index_configs.h"
#include "reclaim.h"
#include "support/coroutine.h"
#include "support/start_line.h"

namespace scree::test {
namespace {

template <class Config, template <class...> class Container, class... HashFunction>
struct Kind : Config {
  using Map = Container<typename Config::Key, typename Config::Value, HashFunction...>;
  static constexpr bool kIsMap = requires(Map & map) { map.first_entry(); };
};
template <class K>
class HashEntry : public testing::Test {
 protected:
  static constexpr std::uint64_t kKeys = 100;
  void fill() {
    for (std::uint64_t n = 0; n < kKeys; ++n) map_.insert(K::key(n), K::value(n));
  }
  auto value_of(std::uint64_t n) const {
    return map_.read(K::key(n), [](const auto&, const auto& value) { return value; });
  }

  typename K::Map map_;
};
using Kinds = testing::Types<Kind<Integers, HashIndex>, Kind<IntegersToStrings, HashIndex>, Kind<Strings, HashIndex>,
                             Kind<Vectors, HashIndex, HashOfVector>, Kind<Integers, HashIndex, OneHash>,
                             Kind<Integers, HashMap>, Kind<IntegersToStrings, HashMap>, Kind<Strings, HashMap>,
                             Kind<Vectors, HashMap, HashOfVector>, Kind<Integers, HashMap, OneHash>>;
TYPED_TEST_SUITE(HashEntry, Kinds);

TYPED_TEST(HashEntry, shows_what_is_there) {
  this->fill();
  {
    const auto present = this->map_.entry(TypeParam::key(3));
    ASSERT_TRUE(present.is_occupied() && present);
    EXPECT_EQ(present.key(), TypeParam::key(3));
    EXPECT_EQ(present.value(), TypeParam::value(3));
  }
  EXPECT_FALSE(this->map_.entry(TypeParam::key(this->kKeys)).is_occupied());
  EXPECT_EQ(this->map_.len(), this->kKeys) << "a handle inserts nothing by itself";
  EXPECT_FALSE(this->map_.contains(TypeParam::key(this->kKeys)));
}

TYPED_TEST(HashEntry, or_insert_gives_the_present_value_or_the_inserted_one) {
  this->fill();
  EXPECT_EQ(this->map_.entry(TypeParam::key(3)).or_insert(TypeParam::value(9)), TypeParam::value(3));
  {
    auto vacant = this->map_.entry(TypeParam::key(200));
    EXPECT_EQ(vacant.or_insert(TypeParam::value(9)), TypeParam::value(9));
    EXPECT_TRUE(vacant.is_occupied());
    EXPECT_EQ(vacant.key(), TypeParam::key(200));
    EXPECT_EQ(vacant.or_insert(TypeParam::value(10)), TypeParam::value(9));
  }
  EXPECT_EQ(this->value_of(200), TypeParam::value(9));
  int made = 0;
  const auto make = [&] { return ++made, TypeParam::value(7); };
  EXPECT_EQ(this->map_.entry(TypeParam::key(200)).or_insert_with(make), TypeParam::value(9));
  EXPECT_EQ(made, 0);
  EXPECT_EQ(this->map_.entry(TypeParam::key(201)).or_insert_with(make), TypeParam::value(7));
  EXPECT_EQ(made, 1);
  EXPECT_EQ(this->map_.len(), this->kKeys + 2);
}

TYPED_TEST(HashEntry, fills_the_container_and_empties_it) {
  constexpr std::uint64_t kMany = 1'000;
  for (std::uint64_t n = 0; n < kMany; ++n) this->map_.entry(TypeParam::key(n)).or_insert(TypeParam::value(n));
  EXPECT_EQ(this->map_.len(), kMany);
  for (std::uint64_t n = 0; n < kMany; ++n) EXPECT_EQ(this->value_of(n), TypeParam::value(n));
  for (std::uint64_t n = 0; n < kMany; ++n) {
    auto entry = this->map_.entry(TypeParam::key(n));
    if constexpr (TypeParam::kIsMap) {
      const auto removed = entry.remove();
      EXPECT_EQ(removed.first, TypeParam::key(n));
      EXPECT_EQ(removed.second, TypeParam::value(n));
    } else {
      entry.remove();
    }
    EXPECT_FALSE(entry.is_occupied());
    EXPECT_FALSE(this->map_.contains(TypeParam::key(n))) << "it has let go";
  }
  EXPECT_TRUE(this->map_.is_empty());
}

TYPED_TEST(HashEntry, goes_on_to_each_other_entry_once) {
  this->fill();
  std::vector<typename TypeParam::Key> seen;
  std::vector<typename TypeParam::Value> values;
  typename TypeParam::Map::Occupied entry;
  EXPECT_FALSE(entry.is_occupied());
  if constexpr (TypeParam::kIsMap) {
    entry = this->map_.first_entry();
  } else {
    // From any one on: only those behind it.
    const ebr::Barrier barrier;
    const auto range = this->map_.iter(barrier);
    entry = this->map_.entry(typename TypeParam::Key((*range.begin()).first));
  }
  ASSERT_TRUE(entry.is_occupied());
  do {
    seen.emplace_back(entry.key());
    values.emplace_back(entry.value());
  } while (entry.next());
  EXPECT_FALSE(entry.is_occupied());
  EXPECT_EQ(seen.size(), this->kKeys);
  EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), this->kKeys);
  for (std::size_t n = 0; n < seen.size(); ++n) {
    EXPECT_TRUE(this->map_.read(seen[n], [&](const auto&, const auto& value) { EXPECT_EQ(value, values[n]); }));
  }
  EXPECT_TRUE(this->map_.insert(TypeParam::key(200), TypeParam::value(1))) << "nothing is held at the end";
}

TYPED_TEST(HashEntry, holds_what_it_was_moved_to_hold) {
  this->fill();
  auto first = this->map_.entry(TypeParam::key(3));
  typename TypeParam::Map::Occupied second = std::move(first);
  EXPECT_FALSE(first.is_occupied());
  ASSERT_TRUE(second.is_occupied());
  EXPECT_EQ(second.key(), TypeParam::key(3));
  first.release();
  EXPECT_TRUE(second.is_occupied());
  EXPECT_FALSE(this->map_.try_entry(TypeParam::key(3)).has_value());
  typename TypeParam::Map::Occupied third;
  third = std::move(second);
  EXPECT_FALSE(this->map_.try_entry(TypeParam::key(3)).has_value());
  third = typename TypeParam::Map::Occupied();
  EXPECT_TRUE(this->map_.try_entry(TypeParam::key(3)).has_value()) << "it has let go of what it held";
  auto fourth = this->map_.entry(TypeParam::key(300));
  auto fifth = std::move(fourth);
  fifth.or_insert(TypeParam::value(4));
  fifth.release();
  fifth.release();
  EXPECT_FALSE(fifth.is_occupied());
  EXPECT_EQ(this->value_of(300), TypeParam::value(4));
}

TYPED_TEST(HashEntry, may_be_let_go_by_another_thread) {
  this->fill();
  auto entry = this->map_.entry(TypeParam::key(200));
  entry.or_insert(TypeParam::value(1));
  std::thread([held = std::move(entry)]() mutable { held.release(); }).join();
  EXPECT_EQ(this->value_of(200), TypeParam::value(1));
  auto another = this->map_.entry(TypeParam::key(200));
  std::thread([&] { another.remove(); }).join();
  EXPECT_FALSE(this->map_.contains(TypeParam::key(200)));
  EXPECT_EQ(this->map_.len(), this->kKeys);
}

// Whoever would have to wait does, until it is let go.
TYPED_TEST(HashEntry, keeps_writers_out_as_long_as_it_lives) {
  this->fill();
  for (const bool present : {true, false}) {
    const auto key = TypeParam::key(present ? 3 : 300);
    Atomic<bool> released{false}, came_first{false};
    auto entry = this->map_.entry(key);
    StartLine start(2);
    std::thread writer([&] {
      start.wait();
      if (present) {
        EXPECT_TRUE(this->map_.remove(key));
      } else {
        EXPECT_FALSE(this->map_.insert(key, TypeParam::value(1)));
      }
      came_first = !released;
    });
    start.wait();
    for (int n = 0; n < 100; ++n) EXPECT_FALSE(this->map_.try_entry(key).has_value());
    EXPECT_EQ(entry.or_insert(TypeParam::value(present ? 3 : 2)), TypeParam::value(present ? 3 : 2));
    released = true;
    entry.release();
    writer.join();
    EXPECT_FALSE(came_first);
  }
}

TEST(HashIndexEntry, lets_readers_in) {
  HashIndex<std::string, std::string> index;
  index.insert("a", "old");
  auto entry = index.entry("a");
  EXPECT_TRUE(index.contains("a"));
  EXPECT_EQ(index.read("a", [](auto, const std::string& v) { return v; }), "old");
  const ebr::Barrier barrier;
  for (auto [key, value] : index.iter(barrier)) EXPECT_EQ(value, "old");
}

TEST(HashIndexEntry, replace_leaves_readers_the_old_entry) {
  HashIndex<std::string, std::string> index;
  index.insert("a", "old");
  const ebr::Barrier barrier;
  const std::string* const old = index.peek("a", barrier);
  auto entry = index.entry("a");
  entry.replace("new");
  EXPECT_FALSE(entry.is_occupied());
  EXPECT_EQ(*index.peek("a", barrier), "new");
  EXPECT_EQ(*old, "old");
  const std::string* const newer = index.peek("a", barrier);
  index.entry("a").remove();
  reclaim_all(100);
  EXPECT_EQ(*newer, "new");
  EXPECT_TRUE(index.is_empty());
}

TEST(HashMapEntry, and_modify_changes_a_present_value_only) {
  HashMap<std::string, int> map;
  EXPECT_EQ(map.entry("a").and_modify([](int&) { ADD_FAILURE(); }).or_insert(1), 1);
  EXPECT_EQ(map.entry("a").and_modify([](int& value) { value += 10; }).or_insert(1), 11);
  auto entry = map.get("a");
  entry.value() = 5;
  entry.release();
  EXPECT_EQ(map.read("a", [](std::string_view, const int& value) { return value; }), 5);
}

TEST(HashMapEntry, of_get_is_there_or_holds_nothing) {
  HashMap<std::string, int> map;
  auto none = map.get("a");
  EXPECT_FALSE(none);
  map.insert("a", 1);
  auto some = map.get(std::string_view("a"));
  ASSERT_TRUE(some);
  EXPECT_FALSE(map.try_entry("a").has_value());
  EXPECT_EQ(some.remove(), std::pair(std::string("a"), 1));
  EXPECT_TRUE(map.try_entry("a").has_value());
}

TEST(HashMapEntry, of_any_entry_is_one_that_is_accepted) {
  HashMap<std::uint64_t, std::string> map;
  EXPECT_FALSE(map.first_entry());
  for (std::uint64_t n = 0; n < 300; ++n) map.insert(n, std::to_string(n));
  EXPECT_FALSE(map.any_entry([](std::uint64_t, const std::string& value) { return value.empty(); }));
  for (std::uint64_t n = 0; n < 300; ++n) {
    auto entry = map.any_entry([&](std::uint64_t key, const std::string&) { return key == n; });
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry.remove(), std::pair(n, std::to_string(n)));
  }
  EXPECT_TRUE(map.is_empty());
}

// A value that neither moves nor is copied.
TEST(HashMapEntry, constructs_a_value_in_its_place) {
  struct Fixed {
    Fixed(int a, int b) : sum(a + b) {}
    Fixed(const Fixed&) = delete;
    Fixed& operator=(const Fixed&) = delete;
    int sum;
  };
  HashMap<std::string, Fixed> map;
  EXPECT_EQ(map.entry("a").or_insert(1, 2).sum, 3);
  HashIndex<std::uint64_t, Atomic<int>> counters;
  EXPECT_EQ(counters.entry(1u).or_insert(5), 5);
}

TEST(HashMapEntry, keeps_readers_out_and_readers_share) {
  HashMap<std::uint64_t, int> map;
  map.insert(1u, 1);
  map.read(1u, [&](auto, const int&) {
    int seen = 0;
    std::thread([&] { seen = *map.read(1u, [](auto, const int& value) { return value; }); }).join();
    EXPECT_EQ(seen, 1);
    std::thread([&] { EXPECT_FALSE(map.try_entry(1u).has_value()); }).join();
  });
  auto entry = map.get(1u);
  Atomic<bool> released{false};
  StartLine start(2);
  std::thread reader([&] {
    start.wait();
    EXPECT_EQ(map.read(1u, [](auto, const int& value) { return value; }), 2);
    EXPECT_TRUE(released);
  });
  start.wait();
  entry.value() = 2;
  released = true;
  entry.release();
  reader.join();
}

template <template <class...> class Container>
void check_reservations() {
  Container<std::uint64_t, std::uint64_t> map;
  const std::size_t none = map.capacity();
  const auto work = [&] {
    for (std::uint64_t n = 0; n < 20'000; ++n) {
      map.insert(n % 4, n);
      map.remove(n % 4);
    }
  };
  {
    auto room = map.reserve(1'000);
    EXPECT_EQ(room.entries(), 1'000u);
    const std::size_t large = map.capacity();
    EXPECT_GE(large, 1'000u);
    work();
    EXPECT_EQ(map.capacity(), large) << "it stays";
    for (std::uint64_t n = 0; n < 1'000; ++n) map.insert(n, n);
    EXPECT_EQ(map.capacity(), large) << "it is enough";
    map.clear();
    work();
    EXPECT_EQ(map.capacity(), large);
    auto moved = std::move(room);
    EXPECT_EQ(room.entries(), 0u);
    EXPECT_EQ(moved.entries(), 1'000u);
    {
      auto more = map.reserve(9'000);
      work();
      EXPECT_GE(map.capacity(), 10'000u) << "all reservations together";
      moved = std::move(more);
    }
    work();
    EXPECT_GE(map.capacity(), 9'000u);
    EXPECT_EQ(moved.entries(), 9'000u);
    for (const std::size_t absurd : {~std::size_t{0}, ~std::size_t{0} - 5, std::size_t{1} << 50}) {
      EXPECT_THROW(static_cast<void>(map.reserve(absurd)), std::length_error);
      EXPECT_THROW((Container<std::uint64_t, std::uint64_t>(absurd)), std::length_error);
    }
    work();
    EXPECT_LE(map.capacity(), 100'000u) << "what failed is not reserved";
  }
  work();
  EXPECT_LE(map.capacity(), 8 * none + 64) << "it has been given up";
  const Container<std::uint64_t, std::uint64_t> with_room(1'000);
  EXPECT_GE(with_room.capacity(), 1'000u);
}

TEST(HashIndex, a_reservation_is_a_floor_while_it_lives) { check_reservations<HashIndex>(); }
TEST(HashMap, a_reservation_is_a_floor_while_it_lives) { check_reservations<HashMap>(); }

TEST(HashSet, a_reservation_is_a_floor_while_it_lives) {
  HashSet<std::string> set;
  const auto room = set.reserve(1'000);
  const std::size_t large = set.capacity();
  for (int n = 0; n < 1'000; ++n) set.insert(std::to_string(n));
  EXPECT_EQ(set.capacity(), large);
  EXPECT_THROW(static_cast<void>(set.reserve(~std::size_t{0})), std::length_error);
}

TEST(HashIndex, has_the_capacity_of_its_constructor_for_good) {
  HashIndex<std::string, int> index(1'000);
  const std::size_t large = index.capacity();
  EXPECT_GE(large, 1'000u);
  for (int n = 0; n < 1'000; ++n) index.insert(std::to_string(n), n);
  index.clear();
  for (int n = 0; n < 20'000; ++n) {
    index.insert("a", n);
    index.remove("a");
  }
  EXPECT_EQ(index.capacity(), large);
}

TEST(HashIndex, modify_leaves_removes_or_replaces) {
  HashIndex<std::string, std::string> index;
  using Outcome = std::optional<std::optional<std::string>>;
  const auto with = [&](const Outcome& outcome) {
    return index.modify("a", [&](const std::string& value) {
      EXPECT_EQ(value, "old");
      return outcome;
    });
  };
  EXPECT_FALSE(with(Outcome(std::in_place))) << "it is absent";
  index.insert("a", "old");
  EXPECT_FALSE(with(Outcome()));
  EXPECT_TRUE(index.contains("a"));
  const ebr::Barrier barrier;
  const std::string* const old = index.peek("a", barrier);
  EXPECT_TRUE(with(Outcome(std::in_place, "new")));
  EXPECT_EQ(*index.peek("a", barrier), "new");
  EXPECT_EQ(*old, "old");
  index.upsert("a", "old");
  EXPECT_TRUE(with(Outcome(std::in_place)));
  EXPECT_TRUE(index.is_empty());
}

TEST(HashIndex, insert_range_inserts_what_is_absent) {
  HashIndex<std::string, int> index;
  index.insert("7", -1);
  std::vector<std::pair<std::string, int>> pairs;
  for (int n = 0; n < 1'000; ++n) pairs.emplace_back(std::to_string(n % 500), n);
  EXPECT_EQ(index.insert_range(pairs), 499u);
  EXPECT_EQ(index.insert_range(pairs), 0u);
  EXPECT_EQ(index.insert_range(std::vector<std::pair<std::string, int>>()), 0u);
  EXPECT_EQ(index.len(), 500u);
  for (int n = 0; n < 500; ++n) {
    EXPECT_EQ(index.read(std::to_string(n), [](auto, int value) { return value; }), n == 7 ? -1 : n);
  }
  EXPECT_EQ(pairs[3].first, "3") << "copies go in";
}

TEST(HashIndex, retain_removes_what_is_not_to_be_kept_and_readers_keep_it) {
  HashIndex<std::uint64_t, std::string> index;
  for (std::uint64_t n = 0; n < 500; ++n) index.insert(n, std::to_string(n));
  const ebr::Barrier barrier;
  const std::string* const held = index.peek(1, barrier);
  std::size_t asked = 0;
  EXPECT_EQ(index.retain([&](std::uint64_t key, const std::string& value) {
    EXPECT_EQ(value, std::to_string(key));
    return ++asked, key % 5 == 0;
  }),
            std::pair(std::size_t{100}, std::size_t{400}));
  EXPECT_EQ(asked, 500u);
  for (std::uint64_t n = 0; n < 500; ++n) EXPECT_EQ(index.contains(n), n % 5 == 0);
  reclaim_all(100);
  EXPECT_EQ(*held, "1");
}

#if SCREE_CHECKED

class HashCheckedDeathTest : public testing::Test {
 protected:
  HashCheckedDeathTest() {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    for (std::uint64_t n = 0; n < 10; ++n) map_.insert(n, n), index_.insert(n, n);
  }
  static constexpr const char* kMessage = "a hash container is used by who holds one of its entries";

  HashMap<std::uint64_t, std::uint64_t> map_{1'000};  // of many buckets
  HashIndex<std::uint64_t, std::uint64_t> index_;
};

TEST_F(HashCheckedDeathTest, whoever_holds_an_entry_does_not_wait_for_another) {
  auto entry = map_.get(1u);
  EXPECT_DEATH(map_.contains(2u), kMessage);
  EXPECT_DEATH(map_.insert(20u, 1u), kMessage);
  EXPECT_DEATH(map_.get(1u), kMessage);
  EXPECT_DEATH(map_.clear(), kMessage);
  auto of_index = index_.entry(1u);
  EXPECT_DEATH(index_.insert(20u, 1u), kMessage);
  EXPECT_TRUE(index_.contains(2u)) << "readers of an index do not wait";
}

TEST_F(HashCheckedDeathTest, functions_that_are_passed_in_do_not_use_the_map) {
  EXPECT_DEATH(map_.update(1u, [&](std::uint64_t&) { map_.contains(2u); }), kMessage);
  EXPECT_DEATH(map_.read(1u, [&](auto, auto&) { map_.contains(2u); }), kMessage);
  EXPECT_DEATH(map_.for_each([&](auto, auto&) { map_.insert(20u, 1u); }), kMessage);
  EXPECT_DEATH(map_.retain([&](auto, auto&) { return map_.contains(1u); }), kMessage);
  EXPECT_DEATH(index_.update(1u, [&](std::uint64_t value) { return index_.insert(20u, 1u), value; }), kMessage);
  EXPECT_TRUE(index_.update(1u, [&](std::uint64_t value) { return index_.contains(2u) ? value + 1 : 0; }));
}

TEST_F(HashCheckedDeathTest, other_containers_and_what_has_been_let_go_may_be_used) {
  HashMap<std::uint64_t, std::uint64_t> other;
  auto entry = map_.get(1u);
  EXPECT_TRUE(other.insert(1u, 1u));
  EXPECT_TRUE(index_.insert(20u, 1u));
  EXPECT_TRUE(map_.try_entry(1u) == std::nullopt) << "it does not wait";
  auto moved = std::move(entry);
  EXPECT_DEATH(map_.contains(1u), kMessage);
  std::thread([held = std::move(moved)]() mutable { held.release(); }).join();
  EXPECT_TRUE(map_.contains(1u));
  map_.update(1u, [&](std::uint64_t& value) { value = other.remove(1u)->first; });
  map_.get(2u).remove();
  EXPECT_FALSE(map_.contains(2u));
}

TEST_F(HashCheckedDeathTest, what_a_coroutine_holds_is_nobodys) {
  const auto hold = [](auto& map) -> Coroutine {
    auto entry = co_await map.get_async(1u);
    EXPECT_TRUE(entry.is_occupied());
    co_await std::suspend_always();
  };
  const Coroutine coroutine = hold(map_);
  std::uint64_t free = 2;
  while (!map_.try_entry(free)) ++free;
  EXPECT_FALSE(map_.try_entry(1u).has_value());
  EXPECT_EQ(map_.contains(free), free < 10);
}

#endif

}  // namespace
}  // namespace scree::test
