// SPDX-License-Identifier: Apache-2.0
//
// HashMap by example: what each operation does.

#include <scree/hash_map.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "hash_kinds.h"
#include "index_checks.h"
#include "map_as_index.h"
#include "support/coroutine.h"

namespace scree::test {
namespace {

using Numbers = HashMap<std::uint64_t, std::uint32_t>;

std::optional<std::uint32_t> value_of(const Numbers& map, std::uint64_t key) {
  return map.read(key, [](std::uint64_t, const std::uint32_t& v) { return v; });
}

// The examples of the document that the project started from.
TEST(HashMap, example_insert_update_read_and_remove) {
  Numbers map;
  EXPECT_TRUE(map.insert(1, 0u));
  EXPECT_EQ(map.update(1, [](std::uint32_t& v) { return v = 2; }), 2u);
  EXPECT_EQ(value_of(map, 1), 2u);
  EXPECT_EQ(map.remove(1), std::pair(std::uint64_t{1}, 2u));
  EXPECT_TRUE(map.insert(7, 17u));
  EXPECT_EQ(value_of(map, 7), 17u);
}

TEST(HashMap, example_upsert) {
  Numbers map;
  EXPECT_FALSE(map.upsert(
      1, [] { return 2u; }, [](std::uint32_t& v) { v = 2; }));
  EXPECT_EQ(value_of(map, 1), 2u);
  EXPECT_TRUE(map.upsert(
      1, [] { return 2u; }, [](std::uint32_t& v) { v = 3; }));
  EXPECT_EQ(value_of(map, 1), 3u);
}

TEST(HashMap, example_for_each_any_and_retain) {
  Numbers map;
  EXPECT_TRUE(map.insert(1, 0u));
  EXPECT_TRUE(map.insert(2, 1u));
  std::uint64_t sum = 0;
  map.for_each([&](std::uint64_t key, std::uint32_t& value) {
    sum += key;
    value = 2;
  });
  EXPECT_EQ(sum, 3u);
  EXPECT_EQ(value_of(map, 1), 2u);
  EXPECT_EQ(value_of(map, 2), 2u);
  EXPECT_TRUE(map.insert(3, 2u));
  EXPECT_TRUE(map.any([](std::uint64_t key, const std::uint32_t&) { return key == 3; }));
  map.update(1, [](std::uint32_t& v) { v = 0; });
  EXPECT_EQ(map.retain([](std::uint64_t key, const std::uint32_t& value) { return key == 1 && value == 0; }),
            std::pair(std::size_t{1}, std::size_t{2}));
  EXPECT_EQ(map.len(), 1u);
}

TEST(HashMap, example_of_coroutines) {
  Numbers map;
  map.insert(1, 0u);
  bool done = false;
  const auto use = [](Numbers& of, bool& ended) -> Coroutine {
    const bool inserted = co_await of.insert_async(2, 1u);
    EXPECT_TRUE(inserted);
    const auto removed = co_await of.remove_async(1);
    EXPECT_EQ(removed, std::pair(std::uint64_t{1}, 0u));
    const bool present = co_await of.upsert_async(
        2, [] { return 1u; }, [](std::uint32_t& v) { v = 3; });
    EXPECT_TRUE(present);
    co_await of.for_each_async(
        [](std::uint64_t key, std::uint32_t& value) { value += static_cast<std::uint32_t>(key); });
    std::uint32_t seen = 0;
    co_await of.scan_async([&](std::uint64_t, const std::uint32_t& value) { seen = value; });
    EXPECT_EQ(seen, 5u);
    ended = true;
  };
  const Coroutine coroutine = use(map, done);
  EXPECT_TRUE(coroutine.is_done() && done);
}

TEST(HashMap, insert_keeps_the_present_entry) { check_that_insert_keeps_the_present_entry<HashMap>(); }

TEST(HashMap, read_returns_what_its_function_returns) { check_that_read_returns_what_its_function_returns<HashMap>(); }

TEST(HashMap, a_failed_insert_leaves_its_arguments_untouched) {
  check_that_a_failed_insert_leaves_its_arguments_untouched<HashMap>();
}

TEST(HashMap, takes_values_that_only_move) {
  check_that_values_may_only_move<MapAsIndex>();
  HashMap<std::uint64_t, std::unique_ptr<int>> map;
  map.insert(1, std::make_unique<int>(5));
  auto taken = map.remove(1);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(*taken->second, 5);
  EXPECT_FALSE(map.contains(1));
}

TEST(HashMap, takes_keys_that_only_move) {
  struct HashPointer {
    std::size_t operator()(const std::unique_ptr<int>& p) const { return static_cast<std::size_t>(*p); }
  };
  struct EqualPointer {
    bool operator()(const std::unique_ptr<int>& a, const std::unique_ptr<int>& b) const { return *a == *b; }
  };
  HashMap<std::unique_ptr<int>, std::unique_ptr<int>, HashPointer, EqualPointer> map;
  EXPECT_TRUE(map.insert(std::make_unique<int>(1), std::make_unique<int>(10)));
  auto again = std::make_unique<int>(1);
  EXPECT_FALSE(map.insert(std::move(again), std::make_unique<int>(11)));
  ASSERT_NE(again, nullptr) << "an insert that does not insert leaves it";
  map.entry(std::make_unique<int>(2)).or_insert(std::make_unique<int>(20));
  EXPECT_EQ(map.read(again, [](const auto&, const auto& value) { return *value; }), 10);
  const auto taken = map.remove(again);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(*taken->first, 1);
  EXPECT_EQ(*taken->second, 10);
  EXPECT_EQ(map.len(), 1u);
}

TEST(HashMap, frees_its_entries_with_it) { check_that_an_index_frees_its_entries_with_it<MapAsIndex>(); }

// At once, not when barriers end.
TEST(HashMap, destroys_what_is_removed_at_once) {
  Atomic<int> alive{0};
  const ebr::Barrier barrier;
  HashMap<std::uint64_t, Counted> map;
  for (std::uint64_t n = 0; n < 100; ++n) map.insert(n, Counted(alive));
  EXPECT_EQ(alive, 100);
  map.remove(1);
  EXPECT_EQ(alive, 99);
  map.retain([](std::uint64_t key, Counted&) { return key % 2 == 0; });
  EXPECT_EQ(alive, 50);
  map.get(2).remove();
  EXPECT_EQ(alive, 49);
  EXPECT_EQ(map.clear(), 49u);
  EXPECT_EQ(alive, 0);
}

TEST(HashMap, destructors_of_values_may_use_it) { check_that_destructors_of_entries_may_use_the_index<HashMap>(); }

// Where one of many is removed at once, too.
TEST(HashMap, destructors_of_values_that_retain_and_clear_remove_may_use_it) {
  struct Uses {
    HashMap<std::uint64_t, Uses>* map;
    explicit Uses(HashMap<std::uint64_t, Uses>* m) : map(m) {}
    Uses(Uses&& other) noexcept : map(std::exchange(other.map, nullptr)) {}
    ~Uses() {
      if (map != nullptr) map->insert(map->len() + 100'000, Uses(nullptr));
    }
  };
  HashMap<std::uint64_t, Uses> map;
  for (std::uint64_t n = 0; n < 300; ++n) map.insert(n, Uses(&map));
  EXPECT_EQ(map.retain([](std::uint64_t key, Uses&) { return key >= 100'000 || key % 2 == 0; }).second, 150u);
  map.clear();
  for (std::uint64_t n = 0; n < 300; ++n) EXPECT_FALSE(map.contains(n)) << n;
  map.clear();
  EXPECT_TRUE(map.is_empty()) << "those that were inserted insert none";
}

TEST(HashMap, update_calls_its_function_on_a_present_value) {
  HashMap<std::string, std::string> map;
  EXPECT_EQ(map.update("a", [](std::string& v) { return v.size(); }), std::nullopt);
  EXPECT_FALSE(map.update("a", [](std::string&) { ADD_FAILURE(); }));
  map.insert("a", "old");
  EXPECT_TRUE(map.update("a", [](std::string& v) { v += "er"; }));
  EXPECT_EQ(map.update("a", [](std::string& v) -> std::string& { return v; }), "older") << "a copy";
}

TEST(HashMap, upsert_makes_or_changes) {
  HashMap<std::string, std::string> map;
  int made = 0, changed = 0;
  for (int n = 0; n < 3; ++n) {
    EXPECT_EQ(map.upsert(
                  std::string_view("k"), [&] { return ++made, "value"; }, [&](std::string& v) { ++changed, v += '+'; }),
              n != 0);
  }
  EXPECT_EQ(made, 1);
  EXPECT_EQ(changed, 2);
  EXPECT_EQ(map.read("k", [](std::string_view, const std::string& v) { return v; }), "value++");
}

TEST(HashMap, upsert_of_a_present_key_leaves_its_argument_untouched) {
  HashMap<std::string, int> by_string;
  HashMap<std::shared_ptr<int>, int> by_pointer;
  const auto shared = std::make_shared<int>(1);
  for (const bool present : {false, true}) {
    std::string name = "a name too long to lie within the string object";
    EXPECT_EQ(by_string.upsert(
                  std::move(name), [] { return 1; }, [](int& v) { ++v; }),
              present);
    std::shared_ptr<int> key = shared;
    EXPECT_EQ(by_pointer.upsert(
                  std::move(key), [] { return 1; }, [](int& v) { ++v; }),
              present);
    EXPECT_EQ(key == nullptr, !present);
    if (present) {
      EXPECT_FALSE(name.empty());
    }
  }
}

TEST(HashMap, remove_returns_the_entry) {
  HashMap<std::string, std::string> map;
  EXPECT_EQ(map.remove("a"), std::nullopt);
  map.insert("a", "value");
  EXPECT_EQ(map.remove_if("a", [](const std::string& v) { return v.empty(); }), std::nullopt);
  EXPECT_EQ(map.len(), 1u);
  EXPECT_EQ(map.remove_if("a", [](std::string& v) { return (v += "!", true); }),
            std::pair(std::string("a"), std::string("value!")));
  EXPECT_EQ(map.remove_if("a", [](const std::string&) { return true; }), std::nullopt);
  EXPECT_TRUE(map.is_empty());
}

TEST(HashMap, replace_changes_the_key_and_leaves_the_value) {
  HashMap<Person, std::unique_ptr<int>, HashPerson, EqualPerson> people;
  EXPECT_FALSE(people.replace(Person{7, "seven"}).has_value());
  people.insert(Person{7, "seven"}, std::make_unique<int>(70));
  Person eight{8, "eight"};
  EXPECT_FALSE(people.replace(std::move(eight)).has_value());
  EXPECT_EQ(eight.name, "eight") << "it did not go in";
  EXPECT_EQ(people.replace(Person{7, "SEVEN"})->name, "seven");
  EXPECT_EQ(people.read(7, [](const Person& p, const auto& value) { return p.name + std::to_string(*value); }),
            "SEVEN70");
  HashMap<int, int, SeededHash, EqualUpTo> numbers(SeededHash(1), EqualUpTo(100));
  numbers.insert(5, 50);
  EXPECT_EQ(numbers.replace(105), 5);
  EXPECT_EQ(numbers.remove(205), std::pair(105, 50));
  EXPECT_EQ(people.len(), 1u);
}

TEST(HashMap, asks_the_hash_and_the_equality_that_it_was_given) {
  HashMap<int, int, SeededHash, EqualUpTo> map(SeededHash(3), EqualUpTo(100));
  for (int n = 0; n < 300; ++n) EXPECT_EQ(map.insert(n, n), n < 100);
  HashMap<int, int, SeededHash, EqualUpTo> with_room(1000, SeededHash(5), EqualUpTo(200));
  for (int n = 0; n < 300; ++n) EXPECT_EQ(with_room.insert(n, n), n < 200);
  EXPECT_EQ(with_room.len(), 200u);
}

TEST(HashMap, takes_byte_strings_in_any_form_and_shows_views) {
  HashMap<std::string, int> map;
  const std::string zero("a\0b", 3);
  EXPECT_TRUE(map.insert(std::string_view(zero), 1));
  EXPECT_TRUE(map.insert("a", 2));
  EXPECT_TRUE(map.insert(std::string(70'000, 'x'), 3));
  EXPECT_FALSE(map.insert(zero, 4));
  EXPECT_TRUE(map.contains(zero));
  EXPECT_FALSE(map.contains(std::string_view()));
  map.entry("b").or_insert(5);
  std::set<std::string> seen;
  map.scan([&](auto key, const int&) {
    static_assert(std::is_same_v<decltype(key), std::string_view>);
    seen.emplace(key);
  });
  EXPECT_EQ(seen, (std::set<std::string>{"a", zero, "b", std::string(70'000, 'x')}));
  static_assert(std::is_same_v<decltype(map.get("a").key()), std::string_view>);
  EXPECT_EQ(map.remove(std::string_view("a")), std::pair(std::string("a"), 2));
}

TEST(HashMap, takes_foreign_keys_where_hash_and_equality_do) {
  HashMap<Person, int, HashPerson, EqualPerson> map;
  EXPECT_TRUE(map.insert(Person{7, "seven"}, 1));
  EXPECT_TRUE(map.contains(7));
  EXPECT_EQ(map.read(7, [](const Person& p, const int&) { return p.name; }), "seven");
  EXPECT_EQ(map.update(7, [](int& v) { return ++v; }), 2);
  EXPECT_EQ(map.get(7).key().name, "seven");
  EXPECT_EQ(map.remove(7)->second, 2);
}

TEST(HashMap, scan_for_each_and_any_show_every_entry) {
  HashMap<std::uint64_t, std::string> map;
  map.scan([](std::uint64_t, const std::string&) { ADD_FAILURE() << "there is none"; });
  EXPECT_FALSE(map.any([](std::uint64_t, const std::string&) { return true; }));
  for (std::uint64_t n = 0; n < 500; ++n) map.insert(n, std::to_string(n));
  std::set<std::uint64_t> seen;
  map.scan([&](std::uint64_t key, const std::string& value) {
    EXPECT_EQ(value, std::to_string(key));
    EXPECT_TRUE(seen.insert(key).second);
  });
  EXPECT_EQ(seen.size(), 500u);
  seen.clear();
  map.for_each([&](std::uint64_t key, std::string& value) {
    value += "!";
    EXPECT_TRUE(seen.insert(key).second);
  });
  EXPECT_EQ(seen.size(), 500u);
  EXPECT_EQ(map.read(7, [](std::uint64_t, const std::string& v) { return v; }), "7!");
  int asked = 0;
  EXPECT_TRUE(map.any([&](std::uint64_t, const std::string&) { return ++asked == 5; }));
  EXPECT_EQ(asked, 5) << "no further";
  EXPECT_FALSE(map.any([&](std::uint64_t, const std::string&) { return ++asked < 0; }));
  EXPECT_EQ(asked, 505);
}

TEST(HashMap, retain_shows_values_that_may_be_changed) {
  Numbers map;
  for (std::uint64_t n = 0; n < 500; ++n) map.insert(n, 0u);
  EXPECT_EQ(map.retain([](std::uint64_t key, std::uint32_t& value) { return (value = 1, key % 5 == 0); }),
            std::pair(std::size_t{100}, std::size_t{400}));
  EXPECT_EQ(map.len(), 100u);
  for (std::uint64_t n = 0; n < 500; ++n) EXPECT_EQ(value_of(map, n), n % 5 == 0 ? std::optional(1u) : std::nullopt);
  EXPECT_EQ(map.retain([](std::uint64_t, std::uint32_t&) { return true; }),
            std::pair(std::size_t{100}, std::size_t{0}));
}

TEST(HashMap, prune_takes_values_and_puts_others_in_their_place) {
  HashMap<std::uint64_t, std::unique_ptr<int>> map;
  for (int n = 0; n < 500; ++n) map.insert(static_cast<std::uint64_t>(n), std::make_unique<int>(n));
  EXPECT_EQ(map.prune([](std::uint64_t key, std::unique_ptr<int>&& value) -> std::optional<std::unique_ptr<int>> {
    const std::unique_ptr<int> mine = std::move(value);
    if (key % 5 != 0) return std::nullopt;
    return std::make_unique<int>(*mine + 1);
  }),
            std::pair(std::size_t{100}, std::size_t{400}));
  EXPECT_EQ(map.len(), 100u);
  map.scan([](std::uint64_t key, const std::unique_ptr<int>& value) {
    EXPECT_EQ(key % 5, 0u);
    EXPECT_EQ(*value, static_cast<int>(key) + 1);
  });
}

TEST(HashMap, clear_says_how_many_it_removed) {
  Numbers map;
  EXPECT_EQ(map.clear(), 0u);
  for (std::uint64_t n = 0; n < 1000; ++n) map.insert(n, 0u);
  EXPECT_EQ(map.clear(), 1000u);
  EXPECT_TRUE(map.is_empty());
  EXPECT_FALSE(map.contains(7));
  EXPECT_TRUE(map.insert(7, 1u));
  HashMap<std::uint64_t, int, OneHash> colliding;
  for (std::uint64_t n = 0; n < 100; ++n) colliding.insert(n, 0);
  EXPECT_EQ(colliding.clear(), 100u);
  EXPECT_EQ(colliding.len(), 0u);
}

TEST(HashMap, finds_what_collides) {
  HashMap<std::uint64_t, std::uint64_t, OneHash> map;
  constexpr std::uint64_t kKeys = 300;
  for (std::uint64_t n = 0; n < kKeys; ++n) ASSERT_TRUE(map.insert(n, n));
  for (std::uint64_t n = 0; n < kKeys; ++n) ASSERT_FALSE(map.insert(n, n));
  for (std::uint64_t n = 0; n < kKeys; n += 2) ASSERT_EQ(map.remove(n), std::pair(n, n));
  for (std::uint64_t n = 0; n < kKeys; ++n) ASSERT_EQ(map.contains(n), n % 2 == 1);
  for (std::uint64_t n = 0; n < kKeys; n += 2) ASSERT_TRUE(map.insert(n, n + 1));
  EXPECT_EQ(map.len(), kKeys);
}

// Also where entries come by handles only.
TEST(HashMap, follows_the_number_of_entries_up_and_down) {
#if SCREE_SMALL_CAPACITIES
  constexpr std::uint64_t kMany = 3'000;
#else
  constexpr std::uint64_t kMany = 50'000;
#endif
  for (const bool by_handles : {false, true}) {
    HashMap<std::uint64_t, std::uint64_t> map;
    const std::size_t empty = map.memory_usage();
    for (std::uint64_t n = 0; n < kMany; ++n) {
      if (by_handles) {
        map.entry(n).or_insert(n);
      } else {
        map.insert(n, n);
      }
      if (n > 100) {
        ASSERT_LE(map.capacity(), 5 * n) << n;
      }
    }
    EXPECT_GE(map.capacity() * 4 / 3, kMany);
    for (std::uint64_t n = 0; n < kMany; ++n) {
      if (by_handles) {
        map.get(n).remove();
      } else {
        map.remove(n);
      }
    }
    EXPECT_TRUE(map.is_empty());
    // What is left of moving is done by the next changes.
    for (std::uint64_t n = 0; n < kMany; ++n) {
      map.insert(n % 4, n);
      map.remove(n % 4);
    }
    EXPECT_LE(map.capacity(), 64u);
    EXPECT_LE(map.memory_usage(), empty + 16'384);
  }
}

}  // namespace
}  // namespace scree::test
