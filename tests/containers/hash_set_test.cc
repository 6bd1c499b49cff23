// SPDX-License-Identifier: Apache-2.0
//
// HashSet by example: what each operation does.

#include <scree/hash_set.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "hash_kinds.h"
#include "support/coroutine.h"

namespace scree::test {
namespace {

using Numbers = HashSet<std::uint64_t>;

// The examples of the document that the project started from.
TEST(HashSet, example_insert_and_read) {
  Numbers set;
  EXPECT_EQ(set.read(1, [](std::uint64_t) { return true; }), std::nullopt);
  EXPECT_TRUE(set.insert(1));
  EXPECT_EQ(set.read(1, [](std::uint64_t) { return true; }), true);
}

TEST(HashSet, example_of_coroutines) {
  Numbers set;
  set.insert(1);
  bool done = false;
  const auto use = [](Numbers& of, bool& ended) -> Coroutine {
    const bool inserted = co_await of.insert_async(2);
    EXPECT_TRUE(inserted);
    const auto removed = co_await of.remove_async(1);
    EXPECT_EQ(removed, 1u);
    ended = true;
  };
  const Coroutine coroutine = use(set, done);
  EXPECT_TRUE(coroutine.is_done() && done);
  EXPECT_EQ(set.len(), 1u);
}

TEST(HashSet, keeps_each_key_once) {
  HashSet<std::string> set;
  EXPECT_TRUE(set.is_empty());
  EXPECT_TRUE(set.insert("a"));
  EXPECT_FALSE(set.insert(std::string("a")));
  EXPECT_TRUE(set.insert(std::string_view("b")));
  EXPECT_TRUE(set.contains("a"));
  EXPECT_FALSE(set.contains("c"));
  EXPECT_EQ(set.len(), 2u);
  EXPECT_EQ(set.read("b", [](std::string_view key) { return key.size(); }), 1u);
  int called = 0;
  EXPECT_TRUE(set.read("b", [&](std::string_view) { ++called; }));
  EXPECT_FALSE(set.read("c", [&](std::string_view) { ++called; }));
  EXPECT_EQ(called, 1);
}

TEST(HashSet, remove_returns_the_key) {
  HashSet<std::string> set;
  set.insert("a");
  int asked = 0;
  EXPECT_EQ(set.remove_if("b", [&] { return ++asked != 0; }), std::nullopt);
  EXPECT_EQ(asked, 0) << "it is absent";
  EXPECT_EQ(set.remove_if("a", [&] { return ++asked == 0; }), std::nullopt);
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(set.contains("a"));
  EXPECT_EQ(set.remove_if("a", [] { return true; }), "a");
  set.insert("b");
  EXPECT_EQ(set.remove("b"), "b");
  EXPECT_EQ(set.remove("b"), std::nullopt);
  EXPECT_TRUE(set.is_empty());
}

TEST(HashSet, replace_puts_an_equal_key_in_the_place_of_the_present_one) {
  HashSet<Person, HashPerson, EqualPerson> people;
  EXPECT_FALSE(people.replace(Person{7, "seven"}).has_value());
  EXPECT_TRUE(people.is_empty()) << "it inserts nothing";
  people.insert(Person{7, "seven"});
  EXPECT_EQ(people.replace(Person{7, "SEVEN"})->name, "seven");
  EXPECT_EQ(people.read(7, [](const Person& p) { return p.name; }), "SEVEN");
  EXPECT_EQ(people.remove(7)->name, "SEVEN");
}

TEST(HashSet, scan_any_retain_and_clear_go_through_all_keys) {
  Numbers set;
  for (std::uint64_t n = 0; n < 500; ++n) set.insert(n);
  std::set<std::uint64_t> seen;
  set.scan([&](std::uint64_t key) { EXPECT_TRUE(seen.insert(key).second); });
  EXPECT_EQ(seen.size(), 500u);
  EXPECT_TRUE(set.any([](std::uint64_t key) { return key == 499; }));
  EXPECT_FALSE(set.any([](std::uint64_t key) { return key == 500; }));
  EXPECT_EQ(set.retain([](std::uint64_t key) { return key % 5 == 0; }), std::pair(std::size_t{100}, std::size_t{400}));
  for (std::uint64_t n = 0; n < 500; ++n) EXPECT_EQ(set.contains(n), n % 5 == 0);
  EXPECT_EQ(set.clear(), 100u);
  EXPECT_TRUE(set.is_empty());
}

TEST(HashSet, asks_the_hash_and_the_equality_that_it_was_given) {
  HashSet<int, SeededHash, EqualUpTo> set(SeededHash(3), EqualUpTo(100));
  for (int n = 0; n < 300; ++n) EXPECT_EQ(set.insert(n), n < 100);
  EXPECT_EQ(set.replace(205), 5);
  EXPECT_EQ(set.remove(305), 205);
}

// A key takes no more room than it has.
TEST(HashSet, has_no_values) {
  Numbers set(10'000);
  HashMap<std::uint64_t, std::uint64_t> map(10'000);
  EXPECT_EQ(set.capacity(), map.capacity());
  EXPECT_EQ(map.memory_usage() - set.memory_usage(), 8 * set.capacity());
}

}  // namespace
}  // namespace scree::test
